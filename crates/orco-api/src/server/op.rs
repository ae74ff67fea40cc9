//! The table of operations. The router, the OpenAPI document and the tests are made from it, so none of them
//! can know more than another.

use axum::routing::{MethodRouter, get, post};

use super::{app::App, apply, commands, metrics, openapi, streams, views};

/// An operation of the interface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Op {
    /// The status, once or after each change.
    Status,
    /// Events.
    Events,
    /// Log records.
    Logs,
    /// The dependency graph.
    Graph,
    /// One service.
    Service,
    /// What keeps a service from being ready.
    Why,
    /// Starts a service.
    Start,
    /// Stops a service.
    Stop,
    /// Replaces a service.
    Restart,
    /// Sets the number of replicas.
    Scale,
    /// Sends a signal.
    Signal,
    /// Runs a command.
    Exec,
    /// Makes another stack the wanted one.
    Apply,
    /// Stops everything.
    Down,
    /// Replaces the engine by the program now on disk.
    Upgrade,
    /// Numbers for a monitoring system.
    Metrics,
    /// This interface as an OpenAPI document.
    OpenApi,
}

impl Op {
    /// All operations.
    pub const ALL: [Self; 17] = [
        Self::Status,
        Self::Events,
        Self::Logs,
        Self::Graph,
        Self::Service,
        Self::Why,
        Self::Start,
        Self::Stop,
        Self::Restart,
        Self::Scale,
        Self::Signal,
        Self::Exec,
        Self::Apply,
        Self::Down,
        Self::Upgrade,
        Self::Metrics,
        Self::OpenApi,
    ];

    /// The path, with `{name}` for a service's name.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Status => "/api/v1/status",
            Self::Events => "/api/v1/events",
            Self::Logs => "/api/v1/logs",
            Self::Graph => "/api/v1/graph",
            Self::Service => "/api/v1/services/{name}",
            Self::Why => "/api/v1/services/{name}/why",
            Self::Start => "/api/v1/services/{name}/start",
            Self::Stop => "/api/v1/services/{name}/stop",
            Self::Restart => "/api/v1/services/{name}/restart",
            Self::Scale => "/api/v1/services/{name}/scale",
            Self::Signal => "/api/v1/services/{name}/signal",
            Self::Exec => "/api/v1/services/{name}/exec",
            Self::Apply => "/api/v1/apply",
            Self::Down => "/api/v1/down",
            Self::Upgrade => "/api/v1/upgrade",
            Self::Metrics => "/api/v1/metrics",
            Self::OpenApi => "/api/v1/openapi.json",
        }
    }

    /// True: `POST`. False: `GET`.
    pub const fn is_command(self) -> bool {
        match self {
            Self::Status
            | Self::Events
            | Self::Logs
            | Self::Graph
            | Self::Service
            | Self::Why
            | Self::Metrics
            | Self::OpenApi => false,
            Self::Start
            | Self::Stop
            | Self::Restart
            | Self::Scale
            | Self::Signal
            | Self::Exec
            | Self::Apply
            | Self::Down
            | Self::Upgrade => true,
        }
    }

    /// One line for people.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Status => "The services and what they wait for; with `watch`, again after each change",
            Self::Events => "The typed event stream",
            Self::Logs => "Log records, oldest first",
            Self::Graph => "The dependency graph with live states",
            Self::Service => "One service",
            Self::Why => "The chain of causes that keeps a service from being ready",
            Self::Start => "Starts a service",
            Self::Stop => "Stops a service; what depends on it stays",
            Self::Restart => "Replaces a service, one replica at a time",
            Self::Scale => "Sets the number of replicas until the next apply",
            Self::Signal => "Sends a signal to one replica or all",
            Self::Exec => "Runs a command beside or inside one replica or all",
            Self::Apply => "Makes another stack the wanted one, and tells what changes",
            Self::Down => "Stops everything in reverse order",
            Self::Upgrade => "Replaces the engine of a daemon by the program now on disk; services go on",
            Self::Metrics => {
                "Lines, bytes and drops of the logs, readiness and restarts per service, as OpenMetrics text"
            }
            Self::OpenApi => "This document",
        }
    }

    pub(super) fn handler(self) -> MethodRouter<App> {
        match self {
            Self::Status => get(views::status),
            Self::Events => get(streams::events),
            Self::Logs => get(streams::logs),
            Self::Graph => get(views::graph),
            Self::Service => get(views::service),
            Self::Why => get(views::why),
            Self::Start => post(commands::start),
            Self::Stop => post(commands::stop),
            Self::Restart => post(commands::restart),
            Self::Scale => post(commands::scale),
            Self::Signal => post(commands::signal),
            Self::Exec => commands::exec_route(),
            Self::Apply => apply::route(),
            Self::Down => post(commands::down),
            Self::Upgrade => post(commands::upgrade),
            Self::Metrics => get(metrics::serve),
            Self::OpenApi => get(openapi::serve),
        }
    }
}
