//! The `orco` command.

mod args;
mod exit;
mod render;

fn main() {}
