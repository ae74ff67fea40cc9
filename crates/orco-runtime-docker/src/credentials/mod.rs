//! With which name and password a registry is asked: the files of `docker login` and `podman login`, and their helpers.

mod config;
mod find;
mod keychain;
mod secret;

pub(crate) use self::{
    find::{Answer, Credentials},
    secret::Login,
};

#[cfg(test)]
pub(crate) use self::secret::Secret;
