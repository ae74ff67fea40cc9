//! S30: what only looks like ours is never touched, however often a stack goes up and down.

use std::{process::Stdio, thread::sleep, time::Duration};

use serde_json::{Value, json};

use super::{
    dock::{self, IMAGE},
    mixed::{Crate, Mixed},
};
use crate::fleet::{figure, kill9, rounds, until};

/// Things of others, which look like those of a stack.
struct Foreign {
    mark: String,
    /// With what is said of each.
    containers: Vec<(String, Value)>,
    networks: Vec<String>,
    volumes: Vec<String>,
}

/// Labels as others might have them.
fn labels(id: &str, case: usize) -> Value {
    match case % 6 {
        // Another stack's.
        0 => {
            json!({ "orco.stack": "ffffffffffff", "orco.service": "a", "orco.slot": "0/0", "orco.instance": "f".repeat(32) })
        }
        // Nobody's.
        1 => json!({ "orco.service": "a", "orco.slot": "0/0", "orco.instance": "e".repeat(32) }),
        // A longer and a shorter id.
        2 => json!({ "orco.stack": format!("{id}0"), "orco.service": "a" }),
        3 => json!({ "orco.stack": &id[..id.len() - 1], "orco.service": "a" }),
        // Our id, elsewhere.
        4 => json!({ "orco.stacks": id, "com.example.stack": id, "orco.stack": "" }),
        _ => json!({}),
    }
}

impl Foreign {
    fn new(mixed: &Mixed, count: usize) -> Self {
        let id = mixed.id().unwrap();
        let mark = format!("foreign-{}", mixed.fleet.tag);
        let mut foreign = Self { mark, containers: Vec::new(), networks: Vec::new(), volumes: Vec::new() };
        for case in 0..count {
            let mut labels = labels(&id, case);
            labels["storm.foreign"] = json!(foreign.mark);
            let name = format!("storm-a-0-{case:03}{}", &mixed.fleet.tag[6..]);
            let spec = json!({ "Image": IMAGE, "Cmd": ["sleep", "100000"], "Labels": labels, "HostConfig": { "Init": true, "NetworkMode": "none" } });
            let made = dock::must("POST", &format!("/containers/create?name={name}"), Some(&spec));
            let container = made["Id"].as_str().unwrap().to_owned();
            // Some run: one of the first six, and every tenth.
            if case == 0 || case % 10 == 9 {
                dock::must("POST", &format!("/containers/{container}/start"), None);
            }
            foreign.containers.push((container.clone(), said(&container)));
            // Networks are dear: the engine has some thirty.
            if case < 6 {
                let spec = json!({ "Name": format!("orco-{id}-{case}"), "Labels": labels, "Driver": "bridge", "Internal": true });
                let made = dock::must("POST", "/networks/create", Some(&spec));
                foreign.networks.push(made["Id"].as_str().unwrap().to_owned());
            }
            let volume = format!("{id}-data{case}");
            dock::must("POST", "/volumes/create", Some(&json!({ "Name": volume, "Labels": labels })));
            foreign.volumes.push(volume);
        }
        foreign
    }

    fn check(&self, context: &str) {
        for (container, before) in &self.containers {
            assert_eq!(&said(container), before, "{context}");
        }
        for network in &self.networks {
            assert!(dock::exists("networks", network), "{context}: {network} is gone");
        }
        for volume in &self.volumes {
            assert!(dock::exists("volumes", volume), "{context}: {volume} is gone");
        }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        dock::sweep(&format!("storm.foreign={}", self.mark));
    }
}

/// What must never change.
fn said(container: &str) -> Value {
    let (status, all) = dock::ask("GET", &format!("/containers/{container}/json"), None);
    assert_eq!(status, 200, "{container} is gone");
    let state = &all["State"];
    json!([all["Name"], state["Status"], state["StartedAt"], state["Pid"], all["RestartCount"]])
}

#[test]
fn look_alikes_survive() {
    if !dock::ready() {
        return;
    }
    let cycles = rounds(3);
    let count = if cycles > 3 { 50 } else { 6 };
    let with_volumes = Crate::stays("a").with("volumes: [\"data:/data\", \"/scratch\"]");
    let mixed = Mixed::new(Vec::new(), vec![with_volumes]);
    mixed.fleet.ok(&["up", "-d", "--wait"]);
    mixed.fleet.ok(&["down"]);
    let foreign = Foreign::new(&mixed, count);
    for cycle in 0..cycles {
        // By a daemon, or by a foreground that is killed: then others clean up.
        if cycle % 3 != 2 {
            mixed.fleet.ok(&["up", "-d", "--wait"]);
            mixed.check("a cycle");
            mixed.fleet.ok(&["down"]);
        } else {
            let mut command = mixed.fleet.command(&["up", "--no-tui"]);
            let mut up = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            until("it is up", || mixed.running().len() == 1);
            kill9(i32::try_from(up.id()).unwrap());
            let _ = up.wait();
            until("it is cleaned up", || mixed.left([]).is_empty());
            sleep(Duration::from_millis(300));
        }
        assert_eq!(mixed.left([]), Vec::<String>::new(), "cycle {cycle}");
        foreign.check(&format!("cycle {cycle}"));
    }
    figure(&format!(
        "S30: {cycles} cycles; {} containers, {} networks, {} volumes of others are as they were",
        foreign.containers.len(),
        foreign.networks.len(),
        foreign.volumes.len()
    ));
}
