//! What a command means.

use super::words::{Wants, Word, words};
use crate::tui::{keys::Action, model::Model, news::Request, table::Column, theme::Ground};

/// Something to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Order {
    /// What a key does.
    Act(Action),
    /// A change.
    Change(Request),
    /// What a key does, with this service selected.
    At(String, Action),
    /// To this service.
    Select(String),
    /// Only rows with this text.
    Filter(String),
    /// By this column.
    Sort(Column),
    /// A theme.
    Ground(Ground),
}

/// What a line means.
///
/// # Errors
/// What is wrong with it, for people.
pub fn parse(line: &str, model: &Model, read_only: bool) -> Result<Order, String> {
    let line = line.trim();
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let Some(word) = words(false).into_iter().find(|word| word.word == first) else {
        let name = known(line, model);
        return name.map(Order::Select).map_err(|_| format!("no command and no service `{line}`"));
    };
    if read_only && word.action.changes() {
        return Err("read-only: nothing can be changed here".to_owned());
    }
    let rest = rest.trim();
    if rest.is_empty() {
        return Ok(Order::Act(word.action));
    }
    behind(&word, rest, model)
}

fn behind(word: &Word, rest: &str, model: &Model) -> Result<Order, String> {
    let mut parts = rest.split_whitespace();
    let (first, second, third) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    match (word.wants, second, third) {
        (Wants::Text, ..) => Ok(Order::Filter(rest.to_owned())),
        (Wants::Services, ..) => services(word.action, rest, model),
        (Wants::Service, None, _) => Ok(Order::At(known(first, model)?, word.action)),
        (Wants::Scale, _, None) => scale(first, second, model),
        (Wants::Signal, Some(signal), None) => signal_to(first, signal, model),
        (Wants::Signal, None, _) => Err(format!("which signal to `{first}`? as in `signal {first} HUP`")),
        (Wants::Ground, None, _) => match first {
            "dark" => Ok(Order::Ground(Ground::Dark)),
            "light" => Ok(Order::Ground(Ground::Light)),
            other => Err(format!("no theme `{other}`: there are `dark` and `light`")),
        },
        (Wants::Column, None, _) => {
            let column = Column::ALL.into_iter().find(|column| column.title().eq_ignore_ascii_case(first));
            column.map(Order::Sort).ok_or_else(|| format!("no column `{first}`"))
        }
        (Wants::Nothing, ..) => Err(format!("`{}` stands alone", word.word)),
        (Wants::Service | Wants::Scale | Wants::Signal | Wants::Ground | Wants::Column, ..) => {
            Err(format!("too much behind `{} {first}`", word.word))
        }
    }
}

fn known(name: &str, model: &Model) -> Result<String, String> {
    match model.service(name) {
        Some(service) => Ok(service.name.clone()),
        None => Err(format!("no service `{name}`")),
    }
}

fn services(action: Action, rest: &str, model: &Model) -> Result<Order, String> {
    let mut names: Vec<String> = Vec::new();
    for part in rest.split_whitespace() {
        let name = known(part, model)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(match action {
        Action::Start => Order::Change(Request::Start(names)),
        Action::Stop => Order::Change(Request::Stop(names)),
        Action::Restart => Order::Change(Request::Restart(names)),
        other => Order::Act(other),
    })
}

/// `api=3` or `api 3`.
fn scale(first: &str, second: Option<&str>, model: &Model) -> Result<Order, String> {
    let (name, number) = match (first.split_once('='), second) {
        (Some(pair), None) => pair,
        (None, Some(number)) => (first, number),
        (Some(_), Some(_)) => return Err(format!("too much behind `scale {first}`")),
        (None, None) => return Err(format!("to how many? as in `scale {first}=3`")),
    };
    let name = known(name, model)?;
    match number.parse::<u32>() {
        Ok(0) => Err(format!("to have none of `{name}`, stop it")),
        Ok(replicas) => Ok(Order::Change(Request::Scale(name, replicas))),
        Err(_) => Err(format!("`{number}` is not a number of replicas")),
    }
}

/// `api` or `api/0`.
fn signal_to(target: &str, signal: &str, model: &Model) -> Result<Order, String> {
    let (name, replica) = match target.split_once('/') {
        Some((name, replica)) => {
            let number = replica.parse::<u32>().map_err(|_| format!("`{replica}` is not the number of a replica"))?;
            (name, Some(number))
        }
        None => (target, None),
    };
    let service = known(name, model)?;
    Ok(Order::Change(Request::Signal { service, replica, signal: signal.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::samples;

    fn parsed(line: &str) -> Result<Order, String> {
        let model = Model { status: Some(samples::status()), ..Model::default() };
        parse(line, &model, false)
    }

    #[test]
    fn what_lines_mean() {
        let (api, db) = (|| "api".to_owned(), || "db".to_owned());
        let hup = |replica| Request::Signal { service: api(), replica, signal: "HUP".into() };
        for (line, order) in [
            ("restart api", Order::Change(Request::Restart(vec![api()]))),
            (" stop  api db api ", Order::Change(Request::Stop(vec![api(), db()]))),
            ("restart", Order::Act(Action::Restart)),
            ("logs db", Order::At(db(), Action::Logs)),
            ("why db", Order::At(db(), Action::Why)),
            ("scale api=3", Order::Change(Request::Scale(api(), 3))),
            ("scale api 3", Order::Change(Request::Scale(api(), 3))),
            ("signal api HUP", Order::Change(hup(None))),
            ("signal api/1 HUP", Order::Change(hup(Some(1)))),
            ("theme dark", Order::Ground(Ground::Dark)),
            ("theme", Order::Act(Action::Ground)),
            ("sort cpu", Order::Sort(Column::Cpu)),
            ("filter a b", Order::Filter("a b".into())),
            ("quit", Order::Act(Action::Quit)),
            ("worker", Order::Select("worker".into())),
        ] {
            assert_eq!(parsed(line), Ok(order), "{line}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for (line, why) in [
            ("frobnicate", "no command and no service `frobnicate`"),
            ("restart nobody", "no service `nobody`"),
            ("scale api", "to how many? as in `scale api=3`"),
            ("scale api=0", "to have none of `api`, stop it"),
            ("scale api=-1", "`-1` is not a number of replicas"),
            ("scale api=1 2", "too much behind `scale api=1`"),
            ("signal api", "which signal to `api`? as in `signal api HUP`"),
            ("signal api/x HUP", "`x` is not the number of a replica"),
            ("theme pink", "no theme `pink`: there are `dark` and `light`"),
            ("quit now", "`quit` stands alone"),
            ("logs api db", "too much behind `logs api`"),
            ("sort beauty", "no column `beauty`"),
        ] {
            assert_eq!(parsed(line), Err(why.to_owned()), "{line}");
        }
    }

    #[test]
    fn nothing_is_changed_where_nothing_may_be() {
        let model = Model { status: Some(samples::status()), ..Model::default() };
        for line in ["restart api", "stop", "start api", "scale api=2", "signal api HUP"] {
            assert_eq!(parse(line, &model, true), Err("read-only: nothing can be changed here".into()), "{line}");
        }
        assert!(parse("logs api", &model, true).is_ok());
    }
}
