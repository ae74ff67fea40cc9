//! What our containers, networks and volumes are called. Names are for people and for uniqueness; nothing is ever
//! recognised by one.

use orco_core::{model::StackId, runtime::StartRequest};

/// The longest part of a name that a user has chosen.
const LONGEST: usize = 40;

/// A container's name: unique per instance, so that creating it twice is refused.
pub(crate) fn container(request: &StartRequest) -> String {
    let StartRequest { stack_name, replica, .. } = request;
    let instance = request.instance.to_string();
    let unique = instance.get(..8).unwrap_or(&instance);
    format!("{}-{}-{replica}-{unique}", plain(stack_name), plain(request.service.name.as_str()))
}

/// The name of a container in which a hook of the instance runs.
pub(crate) fn hook(request: &StartRequest, mark: &str) -> String {
    format!("{}-hook-{mark}", container(request))
}

/// A stack's network.
pub(crate) fn network(stack: StackId) -> String {
    format!("orco-{stack}")
}

/// A named volume of a stack.
pub(crate) fn volume(stack: StackId, name: &str) -> String {
    format!("{stack}-{name}")
}

/// Only what engines take in names.
fn plain(text: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' };
    let plain: String = text.chars().map(fit).take(LONGEST).collect();
    let starts_well = plain.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts_well { plain } else { format!("o{plain}") }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn engines_take_every_name() {
        let table = [("api", "api"), ("my stack", "my-stack"), ("", "o"), ("-x", "o-x"), ("größe", "gr--e")];
        for (text, name) in table {
            assert_eq!(plain(text), name, "{text:?}");
        }
        assert_eq!(plain(&"x".repeat(300)).len(), 40);
    }
}
