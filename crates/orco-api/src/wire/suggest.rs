//! What to say of a name that nobody has.

/// More names would hide the message.
const NAMED: usize = 8;

/// That there is no such service, and which one may be meant.
pub fn no_service<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let text = format!("no service `{name}`");
    if let Some(near) = orco_core::spec::nearest(name, known.clone()) {
        return format!("{text}: did you mean `{near}`?");
    }
    let mut names: Vec<&str> = known.take(NAMED + 1).collect();
    names.sort_unstable();
    match names.len() {
        0 => text,
        1..=NAMED => format!("{text}; there are: {}", names.join(", ")),
        _ => format!("{text}; there are: {}, ...", names[..NAMED].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_or_all() {
        let known = || ["api", "db", "worker"].into_iter();
        assert_eq!(no_service("wroker", known()), "no service `wroker`: did you mean `worker`?");
        assert_eq!(no_service("frontend", known()), "no service `frontend`; there are: api, db, worker");
        assert_eq!(no_service("x", std::iter::empty()), "no service `x`");
    }
}
