//! `cuts.json` in the log directory: where lines are cut, for who reads it without an engine.

use std::{collections::BTreeMap, io, path::Path};

use serde_json::{Map, Value, json};

use super::{line::MAX_LINE_BYTES, settings::LogSettings, side};
use crate::model::ServiceName;

/// No service has such a name.
const NAME: &str = "cuts.json";
const VERSION: u64 = 1;

/// For services that say nothing themselves, and for those that do.
type Cuts = (usize, BTreeMap<ServiceName, usize>);

impl LogSettings {
    /// Tells those who read the directory without an engine where lines are cut. Writes a file if they do not know.
    ///
    /// # Errors
    /// When it cannot be written; what was told before holds.
    pub fn tell(&self, directory: &Path) -> io::Result<()> {
        let path = directory.join(NAME);
        let services = self.services.iter().map(|(name, limits)| (name.clone(), limits.max_line_bytes));
        let cuts: Cuts = (self.limits.max_line_bytes, services.collect());
        let told = match side::read(&path, parse) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
            told => Some(told?.unwrap_or((MAX_LINE_BYTES, BTreeMap::new()))),
        };
        if told.is_some_and(|told| told == cuts) {
            return Ok(());
        }
        let services: Map<String, Value> = cuts.1.iter().map(|(name, cut)| (name.to_string(), json!(cut))).collect();
        let document = json!({ "version": VERSION, "maxLineBytes": cuts.0, "services": services });
        side::replace(&path, document.to_string().as_bytes())
    }

    /// What an engine has told of this directory: where lines are cut; the rest is as usual. `None`: nothing.
    ///
    /// # Errors
    /// When the file is there and cannot be read. One that makes no sense says nothing: it may be empty after the
    /// machine went down, and the lines are there.
    pub fn told(directory: &Path) -> io::Result<Option<Self>> {
        let (common, services) = match side::read(&directory.join(NAME), parse) {
            Ok(Some(cuts)) => cuts,
            Err(error) if error.kind() != io::ErrorKind::InvalidData => return Err(error),
            Ok(None) | Err(_) => return Ok(None),
        };
        let mut settings = Self::default();
        settings.limits.max_line_bytes = common;
        for (name, cut) in services {
            settings.services.entry(name).or_default().max_line_bytes = cut;
        }
        Ok(Some(settings))
    }
}

fn parse(bytes: &[u8]) -> Option<Cuts> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let cut = |value: &Value| value.as_u64().and_then(|cut| usize::try_from(cut).ok());
    if value.get("version")?.as_u64()? != VERSION {
        return None;
    }
    let services = value.get("services")?.as_object()?.iter();
    let services = services.map(|(name, value)| Some((ServiceName::new(name).ok()?, cut(value)?)));
    Some((cut(value.get("maxLineBytes")?)?, services.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;
    use crate::log::{Query, Store, Writer, format::Stem};

    fn settings(common: usize, own: Option<usize>) -> LogSettings {
        let mut settings = LogSettings::default();
        settings.limits.max_line_bytes = common;
        if let Some(own) = own {
            settings.services.entry("own".parse().unwrap()).or_default().max_line_bytes = own;
        }
        settings
    }

    /// What is read of two services without an engine, where nobody else says where lines are cut.
    fn lengths(root: &Path) -> Vec<usize> {
        let follower = Query::default().read(&Store::new(root)).unwrap();
        follower.batches(9).flat_map(Result::unwrap).map(|record| record.msg.find('…').unwrap_or(99)).collect()
    }

    #[test]
    fn who_reads_without_an_engine_cuts_where_it_did() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path());
        for (at, service) in ["any", "own"].into_iter().enumerate() {
            let dir = store.dir(&service.parse().unwrap());
            let mut writer = Writer::create(&dir, Stem { replica: 0, run: 1 }).unwrap();
            writer.append(false, format!("{}\n", "x".repeat(99)).as_bytes(), 1000 + at as u64).unwrap();
        }
        let path = root.path().join(NAME);
        settings(MAX_LINE_BYTES, None).tell(root.path()).unwrap();
        assert!(!path.exists(), "there is nothing to tell");
        assert_eq!(lengths(root.path()), [99, 99]);
        for (common, own, want) in [
            (20, None, [20, 20]),
            (20, Some(30), [20, 30]),
            (200, Some(10), [99, 10]),
            (MAX_LINE_BYTES, None, [99, 99]),
        ] {
            settings(common, own).tell(root.path()).unwrap();
            assert_eq!(lengths(root.path()), want, "{common} {own:?}");
            assert_eq!(LogSettings::told(root.path()).unwrap(), Some(settings(common, own)));
        }
        for nonsense in
            ["", "{}", r#"{"version":2,"maxLineBytes":5,"services":{}}"#, r#"{"version":1,"maxLineBytes":-1}"#]
        {
            fs::write(&path, nonsense).unwrap();
            assert_eq!(lengths(root.path()), [99, 99], "{nonsense}");
            settings(20, None).tell(root.path()).unwrap();
            assert_eq!(lengths(root.path()), [20, 20], "told anew after {nonsense}");
        }
    }
}
