//! How what was typed can go on.

use super::{
    fuzzy::score,
    words::{Wants, Word, words},
};
use crate::tui::{model::Model, table::Column};

/// One way to go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// What would stand there.
    pub text: String,
    /// What it is.
    pub about: String,
    /// A key that does the same, if it is a command.
    pub key: String,
    /// Something may come behind it.
    pub goes_on: bool,
}

/// All ways, the best first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Offers {
    /// What stays before each.
    pub kept: String,
    /// The ways.
    pub list: Vec<Offer>,
}

/// Signals that people send to services.
const SIGNALS: [&str; 9] = ["HUP", "USR1", "USR2", "INT", "TERM", "QUIT", "WINCH", "STOP", "CONT"];

/// Ways to go on with this text.
pub fn offers(typed: &str, model: &Model, read_only: bool) -> Offers {
    let typed = typed.trim_start();
    let words = words(read_only);
    let Some((first, _)) = typed.split_once(' ') else {
        let commands = words.iter().map(command);
        let services = services(model).filter(|_| !typed.is_empty());
        return Offers { kept: String::new(), list: best(typed, commands.chain(services)) };
    };
    let Some(word) = words.iter().find(|word| word.word == first) else { return Offers::default() };
    let cut = typed.rfind(' ').map_or(0, |at| at + 1);
    let (kept, last) = typed.split_at(cut);
    // How many stand before the one that is typed.
    let before = kept.split_whitespace().count().saturating_sub(1);
    let plain = |text: &str, about: &str| Offer {
        text: text.to_owned(),
        about: about.to_owned(),
        key: String::new(),
        goes_on: true,
    };
    let list = match (word.wants, before) {
        (Wants::Services, _) | (Wants::Service | Wants::Signal, 0) => {
            let new = services(model).filter(|offer| !kept.split_whitespace().any(|name| name == offer.text));
            best(last, new.map(|offer| Offer { goes_on: true, ..offer }))
        }
        (Wants::Scale, 0) => {
            let each = model.services().map(|service| Offer {
                goes_on: false,
                ..plain(&format!("{}=", service.name), &format!("{} now", service.replicas))
            });
            best(last, each)
        }
        (Wants::Signal, 1) => best(last, SIGNALS.iter().map(|name| plain(name, "signal"))),
        (Wants::Ground, 0) => best(last, ["dark", "light"].iter().map(|name| plain(name, "theme"))),
        (Wants::Column, 0) => {
            let title = |column: &Column| plain(&column.title().to_lowercase(), "column");
            best(last, Column::ALL.iter().map(title))
        }
        (Wants::Nothing | Wants::Text | Wants::Service | Wants::Signal | Wants::Scale, _)
        | (Wants::Ground | Wants::Column, _) => Vec::new(),
    };
    Offers { kept: kept.to_owned(), list }
}

fn command(word: &Word) -> Offer {
    Offer {
        text: word.word.to_owned(),
        about: word.help.to_owned(),
        key: word.key.clone(),
        goes_on: word.wants != Wants::Nothing,
    }
}

/// By itself, the name of a service means to go to it.
fn services(model: &Model) -> impl Iterator<Item = Offer> {
    model.services().map(|service| Offer {
        text: service.name.clone(),
        about: format!("service, {}", service.state.as_str()),
        key: String::new(),
        goes_on: false,
    })
}

/// Those that fit, the best first; else in their order. By what commands do only where nothing fits by its name.
fn best(typed: &str, all: impl Iterator<Item = Offer>) -> Vec<Offer> {
    let all: Vec<Offer> = all.collect();
    let by_name: Vec<_> = all.iter().filter_map(|offer| Some((score(typed, &offer.text)?, offer))).collect();
    let by_help = || all.iter().filter(|offer| !offer.key.is_empty());
    let mut rated = by_name;
    if rated.is_empty() {
        rated = by_help().filter_map(|offer| Some((score(typed, &offer.about)?, offer))).collect();
    }
    rated.sort_by_key(|(rate, _)| std::cmp::Reverse(*rate));
    rated.into_iter().map(|(_, offer)| offer.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::samples;

    fn texts(typed: &str, read_only: bool) -> Vec<String> {
        let model = Model { status: Some(samples::status()), ..Model::default() };
        offers(typed, &model, read_only).list.into_iter().map(|offer| offer.text).collect()
    }

    #[test]
    fn commands_and_services_by_name() {
        let all = texts("", false);
        for word in ["restart", "logs", "scale", "signal", "theme", "quit", "graph", "events", "why", "help"] {
            assert!(all.iter().any(|text| text == word), "{word}");
        }
        assert_eq!(texts("wo", false).first().map(String::as_str), Some("worker"));
        assert_eq!(texts("rst", false).first().map(String::as_str), Some("restart"));
        assert!(texts("depends", false).contains(&"graph".to_owned()), "by what it does");
    }

    #[test]
    fn nothing_that_changes_is_offered_where_nothing_may_be_changed() {
        let all = texts("", true);
        for word in ["start", "stop", "restart", "scale", "signal"] {
            assert!(!all.iter().any(|text| text == word), "{word}");
        }
        assert!(texts("restart ", true).is_empty());
        assert_eq!(texts("logs d", true), ["db", "seed"]);
    }

    #[test]
    fn what_comes_behind_a_command() {
        assert_eq!(texts("restart w", false), ["web", "worker"]);
        assert_eq!(texts("stop db web ", false), ["seed", "api", "worker"]);
        assert_eq!(texts("logs api ", false), [""; 0]);
        assert_eq!(texts("scale s", false)[0], "seed=");
        assert_eq!(texts("signal api US", false), ["USR1", "USR2"]);
        assert_eq!(texts("theme d", false), ["dark"]);
        assert_eq!(texts("sort mess", false), ["message"]);
        assert_eq!(texts("what api", false), [""; 0]);
    }
}
