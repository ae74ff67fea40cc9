//! The algebra of probe expressions: `http || log`.

mod parse;
#[cfg(test)]
mod tests;

pub use parse::ExprError;

/// A value that may be unknown (Kleene's three-valued logic): unknown never counts as true, and
/// `!unknown` is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tri {
    /// True.
    True,
    /// False.
    False,
    /// Not known.
    Unknown,
}

/// An expression over the indexes of a check's probes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expr {
    /// The probe with this index holds.
    Probe(usize),
    /// It does not.
    Not(Box<Expr>),
    /// All hold.
    And(Vec<Expr>),
    /// At least one holds.
    Or(Vec<Expr>),
}

impl Expr {
    /// Its value, given each probe's.
    pub fn eval(&self, value: &impl Fn(usize) -> Tri) -> Tri {
        match self {
            Self::Probe(index) => value(*index),
            Self::Not(inner) => match inner.eval(value) {
                Tri::True => Tri::False,
                Tri::False => Tri::True,
                Tri::Unknown => Tri::Unknown,
            },
            Self::And(all) => fold(all, value, Tri::False, Tri::True),
            Self::Or(any) => fold(any, value, Tri::True, Tri::False),
        }
    }
}

/// One operand equal to `wins` decides; otherwise an unknown one makes it unknown.
fn fold(operands: &[Expr], value: &impl Fn(usize) -> Tri, wins: Tri, otherwise: Tri) -> Tri {
    let mut result = otherwise;
    for operand in operands {
        let v = operand.eval(value);
        if v == wins {
            return wins;
        }
        if v == Tri::Unknown {
            result = Tri::Unknown;
        }
    }
    result
}
