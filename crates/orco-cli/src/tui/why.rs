//! When the chain of causes is asked for again: when one of the statuses it is made of has changed.

use std::collections::BTreeSet;

use orco_api::wire::{Service, Status, Why};

use super::{
    app::{App, View, is_due},
    model::Connection,
    news::{Effect, Question},
};

/// How often is asked, while a view shows it, in microseconds.
const WHY: u64 = 1_000_000;

impl App {
    /// Whether a view shows why the selected service is not ready.
    const fn shows_why(&self) -> bool {
        match self.view {
            View::Logs | View::Graph | View::Events => false,
            View::Why => true,
        }
    }

    /// Has it asked for as soon as that may be.
    pub(super) const fn want_why(&mut self) {
        self.why_wanted = true;
    }

    pub(super) fn ask_why(&mut self) -> Vec<Effect> {
        if !self.why_wanted {
            return Vec::new();
        }
        let Some(service) = self.table.selected().service().filter(|_| self.shows_why()) else { return Vec::new() };
        if !is_due(self.asked_why, WHY, self.model.now) {
            return Vec::new();
        }
        let question = Question::Why(service.to_owned());
        self.why_wanted = false;
        self.asked_why = Some(self.model.now);
        vec![Effect::Ask(question)]
    }

    /// Whether the causes may be others with this status: it tells so, or nobody has looked for a while.
    pub(super) fn is_why_old(&self, status: &Status) -> bool {
        let Some(name) = self.table.selected().service() else { return false };
        let Some(before) = self.model.status.as_ref().filter(|_| self.model.connection == Connection::Live) else {
            return true;
        };
        let chain = self.model.why.as_ref().filter(|(of, _)| of == name).and_then(|(_, why)| why.as_ref().ok());
        differs(name, chain, before, status)
    }
}

/// Whether a chain of causes, or what is known of this service without one, may differ between two statuses.
pub fn differs(service: &str, chain: Option<&Why>, before: &Status, after: &Status) -> bool {
    let mut names = BTreeSet::from([service]);
    if let Some(why) = chain {
        collect(why, &mut names);
    }
    names.into_iter().any(|name| told(before.services.get(name)) != told(after.services.get(name)))
}

fn collect<'a>(why: &'a Why, names: &mut BTreeSet<&'a str>) {
    names.insert(&why.service);
    why.because.iter().for_each(|cause| collect(cause, names));
}

/// What the chain tells of a service. What it uses is no part of that: it changes always.
fn told(service: Option<&Service>) -> Option<impl PartialEq> {
    service.map(|s| (s.state, s.ready, &s.message, &s.waiting, &s.exit, s.restarts, s.ready_replicas, &s.revision))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::samples;

    #[test]
    fn only_what_the_chain_is_made_of_counts() {
        let (before, why) = (samples::status(), samples::why());
        let changed = |name: &str, change: fn(&mut Service)| {
            let mut after = before.clone();
            change(&mut after.services[name]);
            differs("web", Some(&why), &before, &after)
        };
        assert!(changed("web", |service| service.message.clear()));
        assert!(changed("db", |service| service.restarts += 1), "a cause");
        assert!(!changed("worker", |service| service.restarts += 1), "a stranger");
        assert!(!changed("db", |service| service.resources.memory = Some(1)));
        assert!(!changed("db", |_| ()));
        let mut after = before.clone();
        after.services.shift_remove("db");
        assert!(differs("web", Some(&why), &before, &after));
        assert!(!differs("web", None, &before, &after));
    }
}
