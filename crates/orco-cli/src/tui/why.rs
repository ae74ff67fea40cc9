//! Which statuses a chain of causes is made of: when one of them changes, the chain is asked for again.

use std::collections::BTreeSet;

use orco_api::wire::{Service, Status, Why};

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
