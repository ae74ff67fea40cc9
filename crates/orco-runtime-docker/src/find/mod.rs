//! Which engine is meant, and where it listens. No engine is asked here.

mod context;
mod host;
mod places;
mod surroundings;

pub(crate) use self::{
    host::Host,
    places::{Find, Flavour, Place, places},
    surroundings::Surroundings,
};

#[cfg(test)]
mod tests;
