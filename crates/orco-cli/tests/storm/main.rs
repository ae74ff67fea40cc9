//! Storms: `orco up -d` with thirty services, and kill -9 of whatever holds them, at any moment. The full counts are in
//! CONTRIBUTING.md; `ORCO_ROUNDS` asks for them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![cfg(feature = "process")]

mod census;
mod containers;
mod counts;
mod dice;
mod fleet;
mod hostile;
mod life;
mod lives;
mod output;
mod points;
mod stranger;
mod strike;
mod truth;
mod witness;
