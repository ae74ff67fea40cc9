//! A login, which nothing prints.

use std::fmt;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// Keeps it.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the engine alone.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// `text` without it, should somebody else have put it there.
    pub(crate) fn hide_in(&self, text: &str) -> String {
        // What is very short is part of other words.
        if self.0.len() < 4 { text.to_owned() } else { text.replace(&self.0, "***") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How to log in at a registry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Login {
    /// With a name and a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// With a token that the registry gave for later.
    IdentityToken(Secret),
}

impl Login {
    /// The secret in it.
    pub(crate) const fn secret(&self) -> &Secret {
        match self {
            Self::Password { password, .. } => password,
            Self::IdentityToken(token) => token,
        }
    }
}
