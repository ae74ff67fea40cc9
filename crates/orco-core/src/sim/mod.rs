//! A simulator of the decision core: the brain against a world with a seed, and checks that judge
//! every step.
//!
//! [`plan`] draws a run from a seed, [`run`] carries it out, [`shrink`] makes a failing one smaller,
//! [`hunt`] goes through many. [`tell`] plays a story from a script.
//!
//! In a share of the runs the engine keeps a journal and is killed, at any boundary between deciding, writing and
//! acting; so are its keeper and the machine, and the journal's disk fails ([`Crash`], [`Outage`]). Where there are
//! containers, their engines go away and come back, and somebody plays pranks on them ([`Weather`]).
//!
//! Time is a number, chance is a seed: the same plan gives the same trace, always.

mod adopted;
mod chair;
mod chance;
mod crash;
mod disk;
mod dock;
mod faults;
mod generator;
mod hunt;
mod keeper;
mod ledger;
mod lives;
mod operator;
mod oracles;
mod plan;
mod prober;
mod rebirth;
mod run;
mod script;
mod session;
mod shell;
mod show;
mod shrink;
mod story;
mod tally;
mod weather;
mod world;

#[cfg(feature = "engine")]
mod fake;

#[cfg(feature = "engine")]
pub use fake::{FakeProbe, FakeRuntime};

pub use chair::Chair;
pub use chance::Chance;
pub use crash::{Blow, Crash, Failing, Outage, Point};
pub use faults::Faults;
pub use generator::plan;
pub use hunt::{Failure, Hunt, Tally as HuntTally, hunt};
pub use ledger::{End, Ledger, Life, is_success};
pub use operator::{Operator, Wish};
pub use oracles::{Judge, Scene, Violation, unrest};
pub use plan::Plan;
pub use run::{Outcome, run};
pub use script::{Adversary, Fate, Mood, Script, Spawn};
pub use session::Session;
pub use shrink::shrink;
pub use story::tell;
pub use tally::{Tallied, delay_bounds};
pub use weather::{Absence, ENGINES, Manner, Mischief, Prank, Weather};
pub use world::{Body, Pulse, World};
