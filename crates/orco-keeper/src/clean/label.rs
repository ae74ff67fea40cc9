//! The label whose objects are ours.

/// Longer labels are a mistake.
const LONGEST: usize = 1024;

/// A name and a value. Neither is empty: a filter without a value finds what others have made too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Label<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a str,
}

impl<'a> Label<'a> {
    /// Of `name=value`; `None`: it is none, or not one of a single stack.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (name, value) = text.split_once('=')?;
        let sound = !name.is_empty() && !value.is_empty() && text.len() <= LONGEST && !text.contains(char::is_control);
        sound.then_some(Self { name, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_find_the_objects_of_others_is_no_label() {
        for bad in ["", "=", "orco.stack", "orco.stack=", "=x", "a=b\n", &"a=".repeat(600)] {
            assert_eq!(Label::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Label::parse("orco.stack=a=b"), Some(Label { name: "orco.stack", value: "a=b" }));
    }
}
