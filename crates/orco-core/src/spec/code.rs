//! The stable codes of diagnostics, in one place, so that each can have its test.

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal;)*) => {
        $($(#[doc = $doc])* pub const $name: &str = $text;)*

        /// Every code a stack file's diagnostics can carry.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

codes! {
    /// The file cannot be read.
    UNREADABLE = "unreadable";
    /// The file is not UTF-8.
    NOT_UTF8 = "not-utf8";
    /// The file is larger than 4 MiB, or what services share is larger than they can all have.
    TOO_LARGE = "too-large";
    /// Nested deeper than 64 levels.
    TOO_DEEP = "too-deep";
    /// Aliases expand to more than the file may hold.
    ALIAS_EXPANSION = "alias-expansion";
    /// More than 10,000 services.
    TOO_MANY_SERVICES = "too-many-services";
    /// Not YAML.
    SYNTAX = "syntax";
    /// More than one document in the file.
    DOCUMENTS = "documents";
    /// A NUL character.
    NUL = "nul";
    /// A `<<` merge key.
    MERGE_KEY = "merge-key";
    /// A tag that YAML's core does not know.
    UNKNOWN_TAG = "unknown-tag";
    /// One key twice in a mapping.
    DUPLICATE_KEY = "duplicate-key";
    /// A key that the language does not have.
    UNKNOWN_KEY = "unknown-key";
    /// A key that must be there is not.
    MISSING_KEY = "missing-key";
    /// Keys that exclude each other.
    CONFLICTING_KEYS = "conflicting-keys";
    /// A list where a mapping is meant, and the like.
    WRONG_TYPE = "wrong-type";
    /// A word that is none of those possible.
    UNKNOWN_VALUE = "unknown-value";
    /// A number outside its range.
    OUT_OF_RANGE = "out-of-range";
    /// Not a duration.
    BAD_DURATION = "bad-duration";
    /// Not a size.
    BAD_SIZE = "bad-size";
    /// Not a percentage.
    BAD_PERCENT = "bad-percent";
    /// Not a name.
    BAD_NAME = "bad-name";
    /// Not a signal.
    UNKNOWN_SIGNAL = "unknown-signal";
    /// Not a port.
    BAD_PORT = "bad-port";
    /// Not an address or URL.
    BAD_ADDRESS = "bad-address";
    /// Not a regular expression, or one that is too large.
    BAD_REGEX = "bad-regex";
    /// Not a command line.
    BAD_COMMAND = "bad-command";
    /// A version of the language that this build does not know.
    BAD_VERSION = "bad-version";
    /// Not the name of a variable.
    BAD_VARIABLE_NAME = "bad-variable-name";
    /// A secret that is none of the service's variables.
    UNKNOWN_SECRET = "unknown-secret";
    /// A secret that is too short to be masked.
    SHORT_SECRET = "short-secret";
    /// Something between `${` and `}` that means nothing.
    BAD_INTERPOLATION = "bad-interpolation";
    /// A variable without value.
    UNSET_VARIABLE = "unset-variable";
    /// `${port}` and its like where no instance is concerned.
    INSTANCE_VARIABLE = "instance-variable";
    /// An included file cannot be read.
    INCLUDE_MISSING = "include-missing";
    /// A file includes itself.
    INCLUDE_CYCLE = "include-cycle";
    /// Too many includes.
    INCLUDE_LIMIT = "include-limit";
    /// An env file cannot be read.
    ENV_FILE_MISSING = "env-file-missing";
    /// An env file has a line that is none.
    ENV_FILE_MALFORMED = "env-file-malformed";
    /// No services.
    NO_SERVICES = "no-services";
    /// Neither command nor image.
    NO_COMMAND = "no-command";
    /// A runtime that this build does not have.
    UNKNOWN_RUNTIME = "unknown-runtime";
    /// A probe that this build does not have.
    UNKNOWN_PROBE = "unknown-probe";
    /// A check without a probe.
    NO_PROBE = "no-probe";
    /// A probe expression that does not parse, or names a probe that is not there.
    BAD_EXPRESSION = "bad-expression";
    /// A dependency on a service that does not exist.
    UNKNOWN_DEPENDENCY = "unknown-dependency";
    /// A dependency on itself.
    SELF_DEPENDENCY = "self-dependency";
    /// The same dependency twice.
    DUPLICATE_DEPENDENCY = "duplicate-dependency";
    /// A dependency cycle.
    CYCLE = "cycle";
    /// `completed` asked of a service that never completes.
    NEVER_COMPLETES = "never-completes";
    /// A minimum above its maximum.
    MIN_ABOVE_MAX = "min-above-max";
    /// maxSurge and maxUnavailable both 0.
    UPDATE_STUCK = "update-stuck";
    /// maxSurge beside blueGreen.
    SURGE_BESIDE_BLUE_GREEN = "surge-beside-blue-green";
    /// A canary or blue/green update of a oneshot.
    UPDATE_ON_ONESHOT = "update-on-oneshot";
    /// Two services on one host port.
    HOST_PORT_CLASH = "host-port-clash";
    /// Several replicas on one host port.
    HOST_PORT_REPLICAS = "host-port-replicas";
    /// A host port that is not the port the process itself listens on.
    HOST_PORT_MAPPING = "host-port-mapping";
    /// `${endpoint.X}` of a service that is not a dependency.
    ENDPOINT_NOT_DEPENDENCY = "endpoint-not-dependency";
    /// `${endpoint.X.P}` of a port that the service does not name.
    UNKNOWN_PORT_NAME = "unknown-port-name";
    /// An HTTP probe on a port that does not speak HTTP.
    HTTP_ON_OTHER_PROTOCOL = "http-on-other-protocol";
    /// Shell syntax in a command that no shell runs.
    SHELL_SYNTAX = "shell-syntax";
    /// Not a mount.
    BAD_VOLUME = "bad-volume";
    /// Two mounts at one place.
    DUPLICATE_MOUNT = "duplicate-mount";
    /// Not a platform.
    BAD_PLATFORM = "bad-platform";
    /// A directory inside a container that is not absolute.
    RELATIVE_WORKDIR = "relative-workdir";
    /// A mount of the container engine's socket.
    ENGINE_SOCKET = "engine-socket";
    /// A label that Orco keeps for itself.
    RESERVED_LABEL = "reserved-label";
    /// A field of containers on a process.
    CONTAINER_ONLY = "container-only";
    /// A field of processes on a container.
    PROCESS_ONLY = "process-only";
    /// A container without an image, or a policy for pulling none.
    NO_IMAGE = "no-image";
    /// A field that this version takes but does not act on.
    NO_EFFECT_YET = "no-effect-yet";
}

/// A resolved stack (JSON) that cannot be read. No stack file has it.
pub const NOT_RESOLVED: &str = "not-resolved";
/// A resolved service whose revision is not that of its fields. No stack file has it.
pub const REVISION_MISMATCH: &str = "revision-mismatch";
