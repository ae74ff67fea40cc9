//! What may go wrong in a run, and how often.

use super::Chance;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident: $scale:literal),+ $(,)?) => {
        /// How often each fault strikes, in a thousand opportunities. Zero switches it off.
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        pub struct Faults {
            $($(#[$doc])* pub $name: u32,)+
        }

        impl Faults {
            /// The number of kinds.
            pub const KINDS: usize = [$(stringify!($name)),+].len();

            /// A random subset, each kind with a rate of its own (swarm testing).
            pub fn draw(chance: &mut Chance) -> Self {
                Self { $($name: if chance.hit(400) { $scale * chance.pick(&[1, 4, 12]) / 4 } else { 0 },)+ }
            }

            /// The names of those that are on.
            pub fn on(&self) -> Vec<&'static str> {
                let mut names = Vec::new();
                $(if self.$name > 0 { names.push(stringify!($name)); })+
                names
            }

            /// Without the fault of this name.
            #[must_use]
            pub fn without(&self, name: &str) -> Self {
                let mut fewer = self.clone();
                $(if name == stringify!($name) { fewer.$name = 0; })+
                fewer
            }
        }
    };
}

faults! {
    /// A start takes seconds.
    start_slow: 100,
    /// A start is refused: nothing happened.
    start_refused: 80,
    /// A start fails and nobody knows whether it happened.
    start_unknown: 60,
    /// A start is never answered by the runtime; the engine's deadline answers.
    start_hang: 20,
    /// The instance ends within milliseconds.
    instant_exit: 80,
    /// The instance ends after a while, by code.
    crash: 120,
    /// The instance ends after a while, by signal or for want of memory.
    killed: 60,
    /// A service ends with code 0.
    exit_zero: 40,
    /// The end is a lost port's fault.
    port_lost: 40,
    /// The stop signal is ignored.
    ignore_stop: 150,
    /// A stop takes seconds.
    slow_stop: 150,
    /// Readiness never comes.
    sick: 60,
    /// Readiness comes and goes.
    flap: 80,
    /// Liveness fails after a while.
    dead_inside: 60,
    /// A probe answers at its timeout.
    probe_hang: 60,
    /// A probe cannot tell.
    probe_error: 80,
    /// A fact arrives late, behind younger ones.
    fact_late: 60,
    /// A fact arrives twice.
    fact_twice: 60,
    /// An old fact arrives again.
    fact_again: 40,
    /// The engine looks up late and finds many facts at once.
    burst: 200,
    /// The machine sleeps up to an hour.
    suspend: 3,
}
