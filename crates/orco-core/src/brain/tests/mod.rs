#![allow(clippy::unwrap_used, clippy::expect_used)]

mod story;

mod admitting;
mod crashing;
mod gates;
mod leaving;
mod replacing;
mod restarting;
mod small_models;
mod speaking;
mod starting;
mod twins;
