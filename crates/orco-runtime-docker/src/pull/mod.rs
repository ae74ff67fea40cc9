//! Images made ready: looked for, pulled once, with progress and in the right words.

mod fault;
mod flight;
mod meter;
mod platform;
mod policy;
mod pulls;
mod source;
mod teller;
mod turn;

#[cfg(test)]
mod tests;

pub(crate) use self::{policy::PullPolicy, pulls::Pulls, teller::Report};
