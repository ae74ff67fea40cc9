//! Names of stacks and services.

use std::{borrow::Borrow, fmt, sync::Arc};

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidName {
    text: String,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a name: 1 to 63 of a-z, 0-9, `-` and `_`, beginning and ending with a letter or digit",
            self.text.escape_debug()
        )
    }
}

impl std::error::Error for InvalidName {}

/// `[a-z0-9]([a-z0-9-_]{0,61}[a-z0-9])?`: safe as a file name, a host name's part and a label.
fn check(text: &str) -> Result<(), InvalidName> {
    let edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let fine = matches!(bytes.len(), 1..=63)
        && edge(bytes[0])
        && edge(bytes[bytes.len() - 1])
        && bytes.iter().all(|&b| edge(b) || b == b'-' || b == b'_');
    if fine { Ok(()) } else { Err(InvalidName { text: text.to_owned() }) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text: 1 to 63 of `a-z`, `0-9`, `-`, `_`, with a letter or digit at both ends.
            ///
            /// # Errors
            /// [`InvalidName`] where the text is anything else.
            pub fn new(text: &str) -> Result<Self, InvalidName> {
                check(text).map(|()| Self(text.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }
    };
}

name! {
    /// The name of a service, unique in its stack. Cheap to clone.
    ServiceName
}
name! {
    /// The name of a stack. Cheap to clone.
    StackName
}

impl ServiceName {
    /// Stands in a service that is not named yet.
    pub(crate) fn placeholder() -> Self {
        Self("unnamed".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "0", "api", "a-b_c", "0a", &"x".repeat(63)] {
            assert!(ServiceName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "_", "A", "a b", "a/b", "..", "é", "a\n", &"x".repeat(64)] {
            assert!(ServiceName::new(bad).is_err(), "{bad}");
        }
    }
}
