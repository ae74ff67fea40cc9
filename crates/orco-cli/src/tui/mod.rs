//! The terminal UI: a client of the control socket and nothing more. Killing it changes no service.

mod pane;
mod text;
mod theme;
