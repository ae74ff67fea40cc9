//! As whom does it run?

use std::ffi::CString;

use nix::unistd::{Uid, User, geteuid, getgrouplist};
use orco_core::runtime::RuntimeError;
use orco_keeper::Credentials;

/// The ids behind a user's name or number; `None` where it is who we are already. May block on a name service.
pub(crate) fn resolve(name: &str) -> Result<Option<Credentials>, RuntimeError> {
    let found = match name.parse() {
        Ok(number) => User::from_uid(Uid::from_raw(number)),
        Err(_) => User::from_name(name),
    };
    let user = match found {
        Ok(Some(user)) => user,
        Ok(None) => return Err(RuntimeError::refused(format!("no user `{name}`"))),
        Err(error) => return Err(RuntimeError::refused(format!("cannot look up user `{name}`")).because(error)),
    };
    let me = geteuid();
    if user.uid == me {
        return Ok(None);
    }
    if !me.is_root() {
        return Err(RuntimeError::refused(format!("cannot run as `{name}`: only root may change the user")));
    }
    let groups = CString::new(user.name.as_str()).ok().and_then(|name| getgrouplist(&name, user.gid).ok());
    let groups = groups.unwrap_or_else(|| vec![user.gid]);
    Ok(Some(Credentials {
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
        groups: groups.into_iter().map(nix::unistd::Gid::as_raw).collect(),
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_unknown_user_is_named() {
        let error = resolve("no-such-user-at-all").unwrap_err();
        assert_eq!(error.to_string(), "no user `no-such-user-at-all`");
        assert!(error.is_certain());
    }

    #[test]
    fn oneself_is_nobody_else() {
        assert_eq!(resolve(&geteuid().to_string()).unwrap(), None);
    }

    #[test]
    fn another_user_needs_root() {
        let other = if geteuid().is_root() { "nobody" } else { "root" };
        match resolve(other) {
            Ok(credentials) => {
                let credentials = credentials.unwrap();
                assert!(credentials.uid != 0 && credentials.groups.contains(&credentials.gid));
            }
            Err(error) => assert_eq!(error.to_string(), "cannot run as `root`: only root may change the user"),
        }
    }
}
