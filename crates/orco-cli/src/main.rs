//! The orco command.
fn main() {}
