//! Values that are more than a word.

use std::str::FromStr;

use orco_api::wire::{Level, Source};

/// `SERVICE=N`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceReplicas {
    /// The service.
    pub service: String,
    /// How many replicas.
    pub replicas: u32,
}

impl FromStr for ServiceReplicas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (service, replicas) = text.split_once('=').ok_or("write SERVICE=N, as in `api=3`")?;
        let replicas: u32 = replicas.parse().map_err(|_| format!("`{replicas}` is not a number of replicas"))?;
        if replicas == 0 {
            return Err(format!("to have none, use `orco stop {service}`"));
        }
        Ok(Self { service: service.to_owned(), replicas })
    }
}

/// How many lines of the past.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tail {
    /// All that are kept.
    All,
    /// The last so many.
    Last(usize),
}

impl FromStr for Tail {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            number => number.parse().map(Self::Last).map_err(|_| "neither a number of lines nor `all`".to_owned()),
        }
    }
}

/// A level by name.
pub fn level(text: &str) -> Result<Level, String> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "trace" => Level::Trace,
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warn" | "warning" => Level::Warn,
        "error" => Level::Error,
        "fatal" => Level::Fatal,
        _ => return Err("not one of trace, debug, info, warn, error, fatal".to_owned()),
    })
}

/// A source by name.
pub fn source(text: &str) -> Result<Source, String> {
    Ok(match text {
        "stdout" => Source::Stdout,
        "stderr" => Source::Stderr,
        "system" => Source::System,
        _ => return Err("not one of stdout, stderr, system".to_owned()),
    })
}
