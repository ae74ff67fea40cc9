//! Reading values that the first look has found good; what it found bad reads as absent.

use std::time::Duration;

use crate::spec::{
    value,
    yaml::{Node, Value},
};

/// A node or nothing.
#[derive(Clone, Copy)]
pub(super) struct View<'a>(pub(super) Option<&'a Node>);

impl<'a> View<'a> {
    pub(super) fn get(self, key: &str) -> Self {
        Self(self.0.and_then(|node| node.get(key)))
    }

    pub(super) fn text(self) -> Option<&'a str> {
        self.0.filter(|node| !node.bad).and_then(Node::text)
    }

    pub(super) fn string(self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    pub(super) fn bool(self) -> Option<bool> {
        self.text().map(|text| text == "true")
    }

    pub(super) fn duration(self) -> Option<Duration> {
        self.text().and_then(|text| value::parse_duration(text).ok())
    }

    pub(super) fn size(self) -> Option<u64> {
        self.text().and_then(|text| value::parse_size(text).ok())
    }

    /// A number whose range the table of fields has made sure.
    pub(super) fn int<T: TryFrom<i64>>(self) -> Option<T> {
        let number = self.text().and_then(|text| value::integer(text, i64::MIN, i64::MAX).ok())?;
        T::try_from(number).ok()
    }

    /// The texts of a mapping.
    pub(super) fn pairs(self) -> impl Iterator<Item = (String, String)> {
        let entries = self.0.map(Node::entries).unwrap_or_default();
        entries.iter().filter_map(|entry| Some((entry.key.to_string(), View(Some(&entry.value)).string()?)))
    }

    /// The items of a list, or the one thing in its place.
    pub(super) fn many(self) -> impl Iterator<Item = (usize, &'a Node)> {
        let (list, one) = match self.0.map(|node| (node, &node.value)) {
            Some((_, Value::Seq(items))) => (items.as_slice(), None),
            Some((node, _)) if !node.is_null() => (&[][..], Some(node)),
            _ => (&[][..], None),
        };
        list.iter().chain(one).enumerate()
    }

    /// The texts of a list, or the one text in its place.
    pub(super) fn texts(self) -> impl Iterator<Item = &'a str> {
        self.many().filter_map(|(_, node)| View(Some(node)).text())
    }
}

/// A value of a service, and the same of `defaults` behind it.
#[derive(Clone, Copy)]
pub(super) struct Layers<'a> {
    pub(super) own: View<'a>,
    pub(super) base: View<'a>,
}

impl<'a> Layers<'a> {
    pub(super) fn get(self, key: &str) -> Self {
        Self { own: self.own.get(key), base: self.base.get(key) }
    }

    /// The first layer in which the value can be read.
    pub(super) fn read<T>(self, read: impl Fn(View<'a>) -> Option<T>) -> Option<T> {
        read(self.own).or_else(|| read(self.base))
    }

    pub(super) fn duration(self, key: &str) -> Option<Duration> {
        self.get(key).read(View::duration)
    }

    pub(super) fn int<T: TryFrom<i64>>(self, key: &str) -> Option<T> {
        self.get(key).read(View::int)
    }
}
