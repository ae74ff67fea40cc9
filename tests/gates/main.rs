//! The gates: what the workspace promises about itself, checked on its own files and on `cargo metadata`.
//! Each one is a plain function over text with a test that feeds it something wrong, and a test on the workspace.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod dependencies;
mod files;
mod invariants;
mod layering;
mod licences;
mod metadata;
mod rust;

/// Fails with all findings at once.
fn none(what: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{what}:\n  {}", findings.join("\n  "));
}
