//! Looking at a program before it takes over.

use std::{
    io::Read,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// A program that has not said what it is by then never will.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a program can take over, as `daemon engine --check` prints it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Abilities {
    /// Its version.
    pub orco: String,
    /// The keeper's protocols that it speaks.
    pub keeper: Vec<u32>,
    /// The journal's formats that it reads.
    pub journal: Vec<u32>,
}

impl Abilities {
    /// Of this program.
    pub fn ours() -> Self {
        Self {
            orco: env!("CARGO_PKG_VERSION").to_owned(),
            keeper: vec![u32::from(orco_keeper::PROTOCOL)],
            journal: vec![orco_core::journal::FORMAT],
        }
    }

    /// Whether it can go on where this program stops, or why not.
    fn fits(&self, here: &Self) -> Result<(), String> {
        for (what, theirs, ours) in
            [("keeper protocol", &self.keeper, &here.keeper), ("journal format", &self.journal, &here.journal)]
        {
            if let Some(missing) = ours.iter().find(|version| !theirs.contains(version)) {
                return Err(format!(
                    "orco {} does not know {what} {missing}: end the stack with the old program and start it with the new one",
                    self.orco
                ));
            }
        }
        Ok(())
    }
}

/// Runs the program and asks what it can take over. Blocks for some seconds at most.
///
/// # Errors
/// Why it cannot take over, as a lower-case fragment.
pub fn look_at(program: &Path) -> Result<Abilities, String> {
    let shown = program.display();
    let text = ask(program).map_err(|why| format!("`{shown}` cannot take over: {why}"))?;
    let theirs: Abilities = serde_json::from_slice(&text)
        .map_err(|_| format!("`{shown}` cannot take over: it does not answer as an engine of Orco does"))?;
    theirs.fits(&Abilities::ours()).map_err(|why| format!("`{shown}` cannot take over: {why}"))?;
    Ok(theirs)
}

fn ask(program: &Path) -> Result<Vec<u8>, String> {
    let mut command = Command::new(program);
    command.args(["daemon", "engine", "--check"]).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| e.to_string())?;
    let give_up = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < give_up => thread::sleep(Duration::from_millis(5)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err("it does not answer".to_owned());
            }
            Err(e) => return Err(e.to_string()),
        }
    };
    if !status.success() {
        return Err(format!("it failed ({status})"));
    }
    let mut text = Vec::new();
    // What it says is a line, and lies in the pipe by now; a program that says more is none of ours.
    if let Some(out) = child.stdout {
        out.take(64 << 10).read_to_end(&mut text).map_err(|e| e.to_string())?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("orco");
        let ours = Abilities::ours();
        let other = |change: fn(&mut Abilities)| {
            let mut other = ours.clone();
            change(&mut other);
            format!("echo '{}'", serde_json::to_string(&other).unwrap())
        };
        for (text, expected) in [
            (other(|_| {}), Ok(())),
            (other(|o| o.keeper.push(99)), Ok(())),
            (other(|o| o.keeper = vec![99]), Err("does not know keeper protocol")),
            (other(|o| o.journal = vec![]), Err("does not know journal format")),
            ("exit 3".to_owned(), Err("it failed (exit status: 3)")),
            ("echo hello".to_owned(), Err("does not answer as an engine")),
        ] {
            // Another name each time: a file that was just written may still be open for writing in another thread's
            // child, and then cannot be run.
            let fresh = dir.path().join("new");
            std::fs::write(&fresh, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o755)).unwrap();
            std::fs::rename(&fresh, &program).unwrap();
            match (look_at(&program), expected) {
                (Ok(_), Ok(())) => {}
                (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
        std::fs::remove_file(&program).unwrap();
        assert!(look_at(&program).unwrap_err().contains("cannot take over: No such file"));
    }
}
