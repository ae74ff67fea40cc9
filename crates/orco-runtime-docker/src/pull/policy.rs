//! When an image is pulled.

/// When an image is pulled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) enum PullPolicy {
    /// If the engine has none of this name (and for the wanted platform, where one is named).
    #[default]
    Missing,
    /// Once per image in this program's life, whatever the engine has; afterwards as `Missing`. Restarts and further
    /// replicas do not ask the registry again.
    Always,
    /// Not at all.
    Never,
}
