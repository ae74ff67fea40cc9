//! The parser's complaints in our words.

use granit_parser::{ErrorKind, ScanError};

use crate::spec::{code, value::Flaw};

/// What is wrong, and how it is usually mended.
#[expect(clippy::wildcard_enum_match_arm, reason = "the parser's list is open; its own words serve the rest")]
pub(super) fn explain(error: &ScanError) -> Flaw {
    let (code, help) = match error.kind() {
        ErrorKind::RecursionLimitExceeded => {
            return Flaw::new(code::TOO_DEEP, "nested too deeply").help("a stack file may be nested 64 levels deep");
        }
        ErrorKind::UnknownAnchor => (code::SYNTAX, "an alias (`*name`) needs an anchor (`&name`) before it"),
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
            (code::SYNTAX, "indent with spaces")
        }
        ErrorKind::MappingValueNotAllowed => (code::SYNTAX, "a value with `: ` in it needs quotes"),
        ErrorKind::SimpleKeyExpected => (code::SYNTAX, "a key is written `key: value`"),
        ErrorKind::UnclosedQuotedScalar => (code::SYNTAX, "close the quote"),
        ErrorKind::UnknownQuotedScalarEscape => {
            (code::SYNTAX, "in double quotes a backslash is an escape; use single quotes")
        }
        _ => return Flaw::new(code::SYNTAX, error.info()),
    };
    Flaw::new(code, error.info()).help(help)
}
