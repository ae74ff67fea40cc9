//! How the fields of the language are written down.

/// A mapping with known keys.
#[derive(Debug)]
pub(crate) struct Table {
    /// What it is, for messages and the schema.
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) fields: &'static [Field],
}

impl Table {
    pub(crate) fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }
}

/// One key of a table.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) key: &'static str,
    pub(crate) ty: Ty,
    pub(crate) doc: &'static str,
    pub(crate) required: bool,
    pub(crate) effect: Effect,
}

/// Whether a field does something already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effect {
    Now,
    /// With a later version.
    Later,
    /// An error on processes: only containers have it.
    Containers,
}

impl Field {
    pub(crate) const fn new(key: &'static str, ty: Ty, doc: &'static str) -> Self {
        Self { key, ty, doc, required: false, effect: Effect::Now }
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn later(mut self) -> Self {
        self.effect = Effect::Later;
        self
    }

    pub(crate) const fn containers(mut self) -> Self {
        self.effect = Effect::Containers;
        self
    }
}

/// What a value may be.
#[derive(Debug)]
pub(crate) enum Ty {
    /// Text that the loader knows wholly.
    Text,
    /// Text with per-instance variables.
    Template,
    /// A stack's or service's name.
    Name,
    Bool,
    /// A whole number from the first to the second.
    Int(i64, i64),
    /// A number of at least 1.
    Factor,
    Duration,
    Size,
    Cpu,
    Percent,
    /// A number or a percentage.
    Amount,
    /// A number or `unlimited`.
    Retries,
    /// One of these words.
    Choice(&'static [&'static str]),
    Signal,
    Regex,
    /// `0.1`.
    Version,
    /// A port number.
    PortNumber,
    /// A port number or `${port}`.
    ProbePort,
    /// `host:target` and its relatives.
    PortMapping,
    /// `source:target` of a mount.
    Mount,
    /// `os/architecture`.
    Platform,
    /// The network of a container.
    Network,
    Url,
    Address,
    /// An IP address.
    Ip,
    /// An HTTP status or a range of them.
    Status,
    /// A list of arguments, or a command line.
    Command,
    /// The same, without per-instance variables; may be empty.
    Words,
    List(&'static Ty),
    /// One, or a list of them.
    OneOrMany(&'static Ty),
    /// A mapping with free keys.
    Map(&'static Ty),
    /// Names of variables to values; null removes one.
    Env,
    /// A mapping whose keys are names of services.
    Services(&'static Table),
    Table(&'static Table),
    /// The key of registered probes is possible beside the known ones.
    Check(&'static Table),
    /// A scalar as a short form of a table.
    Short(&'static Ty, &'static Table),
}
