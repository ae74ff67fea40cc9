//! What a daemon is to do first. Whoever starts it has read the stack file, with its own variables and folder; the
//! engine, which has neither, finds the result here.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use orco_api::place::Place;
use orco_core::{
    model::ServiceName,
    spec::{Logging, ResolvedError, Stack},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a daemon is to do first.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Unlike that of any other: an engine that has begun with it and dies does not begin again.
    pub id: String,
    /// The stack to run.
    pub stack: Stack,
    /// The variables that the file used, with the values they had.
    pub variables: BTreeMap<String, String>,
    /// The services to start; empty: all.
    pub services: Vec<ServiceName>,
    /// Whether what they depend on is started too.
    pub deps: bool,
    /// What wins over the stack's `logging`.
    pub logging: Logging,
}

/// As it is in the file.
#[derive(Serialize, Deserialize)]
struct Document {
    id: String,
    stack: Box<RawValue>,
    variables: BTreeMap<String, String>,
    services: Vec<String>,
    deps: bool,
    #[serde(default)]
    logging: Logging,
}

/// Why it cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum IncomingError {
    /// The file.
    #[error("cannot access `{}`", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not what Orco writes.
    #[error("`{}` is damaged", .path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Incoming {
    /// Replaces what is there, whole or not at all; only the owner may read it, for it holds values of variables.
    ///
    /// # Errors
    /// [`IncomingError::Io`].
    pub fn write(&self, place: &Place) -> Result<(), IncomingError> {
        let path = place.incoming();
        let next = path.with_extension("json.new");
        let replace = || -> io::Result<()> {
            let document = Document {
                id: self.id.clone(),
                stack: serde_json::from_slice(&self.stack.to_json())?,
                variables: self.variables.clone(),
                services: self.services.iter().map(ToString::to_string).collect(),
                deps: self.deps,
                logging: self.logging.clone(),
            };
            remove(&next)?;
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(&next)?;
            file.write_all(&serde_json::to_vec(&document)?)?;
            fs::rename(&next, &path)
        };
        replace().map_err(|source| IncomingError::Io { path: path.clone(), source })
    }

    /// What is there. `None`: nothing is to be done, but to go on.
    ///
    /// # Errors
    /// [`IncomingError`].
    pub fn read(place: &Place) -> Result<Option<Self>, IncomingError> {
        let path = place.incoming();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(IncomingError::Io { path, source }),
        };
        parse(&bytes).map(Some).map_err(|source| IncomingError::Damaged { path, source })
    }

    /// It is done, or not to be done.
    ///
    /// # Errors
    /// [`IncomingError::Io`].
    pub fn remove(place: &Place) -> Result<(), IncomingError> {
        let path = place.incoming();
        remove(&path).map_err(|source| IncomingError::Io { path, source })
    }
}

fn parse(bytes: &[u8]) -> Result<Incoming, Box<dyn std::error::Error + Send + Sync>> {
    let document: Document = serde_json::from_slice(bytes)?;
    let stack: Result<Stack, ResolvedError> = Stack::from_json(document.stack.get().as_bytes());
    let services = document.services.iter().map(|name| ServiceName::new(name)).collect::<Result<_, _>>()?;
    let Document { id, variables, deps, logging, .. } = document;
    Ok(Incoming { id, stack: stack?, variables, services, deps, logging })
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use orco_api::place::StateRoot;
    use orco_core::{
        model::StackId,
        spec::{Change, ServiceBuilder, diff},
    };

    use super::*;

    #[test]
    fn there_and_back_for_the_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(&StateRoot::new(dir.path()), StackId::from_bits(1));
        place.create().unwrap();
        assert!(Incoming::read(&place).unwrap().is_none());
        let stack =
            Stack::builder("demo").service(ServiceBuilder::new("db", "process").command(["db"])).build().unwrap();
        let mut logging = Logging::default();
        logging.max_total_size = Some(1 << 20);
        let incoming = Incoming {
            id: "7".to_owned(),
            stack,
            variables: [("TOKEN".to_owned(), "secret".to_owned())].into(),
            services: vec![ServiceName::new("db").unwrap()],
            deps: true,
            logging,
        };
        incoming.write(&place).unwrap();
        incoming.write(&place).unwrap();
        assert_eq!(fs::metadata(place.incoming()).unwrap().permissions().mode() & 0o777, 0o600);
        let back = Incoming::read(&place).unwrap().unwrap();
        assert_eq!(back.id, "7");
        assert_eq!(back.logging.max_total_size, Some(1 << 20));
        assert_eq!((&back.variables, &back.services, back.deps), (&incoming.variables, &incoming.services, true));
        assert!(diff(&incoming.stack, &back.stack).iter().all(|(_, change)| *change == Change::Same));

        fs::write(place.incoming(), "{\"stack\": 1").unwrap();
        assert!(matches!(Incoming::read(&place), Err(IncomingError::Damaged { .. })));
        Incoming::remove(&place).unwrap();
        Incoming::remove(&place).unwrap();
        assert!(Incoming::read(&place).unwrap().is_none());
    }
}
