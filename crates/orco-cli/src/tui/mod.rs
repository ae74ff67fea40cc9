//! The terminal UI: a client of the control socket and nothing more. Killing it changes no service.
//!
//! [`app`] is the state and pure: `Input` in, `Effect`s out. [`model`] is what is known of the stack, [`link`] the tasks
//! that learn it, [`keys`] what each key does, [`view`] draws, [`screen`] is the terminal, [`run`] the loop around all.
//!
//! A view below the table is a variant of `app::View`, a key in [`keys`], its drawing in `view`, an arm in
//! `view::screen` (and its title there), and, if it scrolls, an arm in `App::step`.

mod act;
mod action;
mod app;
mod canvas;
mod dialog;
mod events;
mod file;
mod flow;
mod graph;
mod help;
mod keys;
mod layout;
mod link;
mod logs;
mod model;
mod mouse;
mod news;
mod obey;
mod palette;
mod pane;
mod run;
#[cfg(test)]
mod samples;
mod screen;
mod show;
mod stopping;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod thread;
mod usage;
mod view;
mod views;
mod why;

pub use app::Home;
pub use news::Ended;
pub use run::{Options, Word};
pub use screen::abandon;
pub use theme::{Ground, Theme};
pub use thread::begin;
