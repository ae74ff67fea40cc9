//! The host: this very executable, started again, that runs services for holders in other processes.
//!
//! # Theory of operation
//! One directory per fixture: `lock` (who looks for a host, starts one or ends as one), `host.lock` (held as long as a
//! host and its services are there), `hold` (its socket). An asker takes `lock`; a socket that answers leads to a host
//! that lives; else the asker makes the socket, starts a host on it and is its first holder. A holder is a connection,
//! so the kernel counts holders and tells when one ends, however it ends. When none is left the host lingers, takes
//! `lock`, looks for a holder that came meanwhile, and else removes the socket: from then on another host may begin,
//! which starts nothing before `host.lock` is free. The services have a keeper of their own below the host: if the host
//! is killed, they end.

mod holder;
mod house;
mod process;
mod serve;
mod wire;

pub(crate) use holder::Holder;
pub(crate) use house::carry_out;
pub(crate) use process::{can_host, is_alive};
pub(crate) use wire::{About, Change, Order};
