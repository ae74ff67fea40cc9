//! Requests and what becomes of them.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use orco_core::{
    model::{InstanceId, StackId},
    runtime::{LogTarget, Publish},
    spec::{ServiceBuilder, Stack},
};

use super::*;

const STACK: StackId = StackId::from_bits(0xabc);
const INSTANCE: InstanceId = InstanceId(0x1234_5678_0000_0000_0000_0000_0000_0001);

fn request(change: impl FnOnce(ServiceBuilder) -> ServiceBuilder) -> StartRequest {
    let service = change(ServiceBuilder::container("db", "orco-test/busybox:1"));
    let stack = Stack::builder("shop").workdir("/srv/shop").service(service).build().unwrap();
    let service = Arc::clone(&stack.services()[0]);
    let mut request = StartRequest::new(STACK, INSTANCE, service, LogTarget::new("/tmp", "0.1"));
    request.stack_name = "shop".into();
    request.replica = 2;
    request
}

fn made(change: impl FnOnce(ServiceBuilder) -> ServiceBuilder) -> ContainerSpec {
    instance(&request(change), Manners::Docker)
}

#[test]
fn the_least_service() {
    let spec = made(|service| service);
    assert_eq!(spec.name, "shop-db-2-12345678");
    assert_eq!((spec.image.as_str(), spec.entrypoint, spec.command), ("orco-test/busybox:1", None, vec![]));
    assert_eq!((spec.workdir, spec.user, spec.platform), (None, None, None));
    assert_eq!((spec.network.as_str(), spec.aliases), ("orco-000000000abc", vec!["db-2".to_owned(), "db".to_owned()]));
    assert_eq!(spec.hosts, ["host.docker.internal:host-gateway"]);
    assert!(spec.init && !spec.stdin && spec.ports.is_empty() && spec.mounts.is_empty());
    assert_eq!(spec.limits, Limits { pids: Some(512), ..Limits::default() });
    assert_eq!(spec.log["max-size"], "64m");
    let labels: Vec<_> = spec.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let revision = request(|service| service).service.revision;
    let want = [
        "orco.instance=12345678000000000000000000000001".to_owned(),
        format!("orco.revision={revision}"),
        "orco.run=1".to_owned(),
        "orco.service=db".to_owned(),
        "orco.slot=1/2".to_owned(),
        "orco.stack=000000000abc".to_owned(),
    ];
    assert_eq!(labels, want);
}

#[test]
fn everything_that_can_be_said() {
    let mut request = request(|service| {
        service
            .command(["serve", "-v"])
            .entrypoint(Vec::<String>::new())
            .container_workdir("/srv")
            .volume("./data:/data:ro")
            .volume("cache:/cache")
            .volume("/scratch")
            .label("team", "blue")
            .platform("linux/amd64")
            .init(false)
            .cpu(1500)
    });
    request.argv = ["serve", "-v"].map(str::to_owned).to_vec();
    request.env = [("A".to_owned(), Some("1 = 2".to_owned())), ("B".to_owned(), None)].into();
    request.publish = vec![Publish::new(5432, 20_001)];
    let spec = instance(&request, Manners::Docker);
    assert_eq!(spec.entrypoint, Some(vec![String::new()]));
    assert_eq!(spec.command, ["serve", "-v"]);
    assert_eq!(spec.env, ["A=1 = 2", "B"]);
    assert_eq!((spec.workdir.as_deref(), spec.platform.as_deref()), (Some("/srv"), Some("linux/amd64")));
    let mounts: Vec<_> = spec.mounts.iter().map(|m| (m.source.clone(), m.target.as_str(), m.read_only)).collect();
    let want = [
        (MountSource::Bind("/srv/shop/data".to_owned()), "/data", true),
        (MountSource::Volume("000000000abc-cache".to_owned()), "/cache", false),
        (MountSource::Anonymous, "/scratch", false),
    ];
    assert_eq!(mounts, want);
    assert_eq!(spec.labels["team"], "blue");
    assert_eq!(spec.limits.nano_cpus, Some(1_500_000_000));
    assert!(!spec.init);
    let port = PortSpec { target: 5432, udp: false, ip: [127, 0, 0, 1].into(), host: 20_001 };
    assert_eq!(spec.ports, [port]);
}

#[test]
fn networks() {
    let table = [
        ("stack", "orco-000000000abc", 2, 1, 1),
        ("host", "host", 0, 0, 0),
        ("none", "none", 0, 0, 0),
        ("bridge", "bridge", 0, 1, 1),
        ("lan", "lan", 2, 1, 1),
    ];
    for (said, name, aliases, hosts, ports) in table {
        let mut request = request(|service| service.network(said));
        request.publish = vec![Publish::new(80, 20_001)];
        let spec = instance(&request, Manners::Docker);
        let got = (spec.network.as_str(), spec.aliases.len(), spec.hosts.len(), spec.ports.len());
        assert_eq!(got, (name, aliases, hosts, ports), "{said}");
    }
    let podman = instance(&request(|service| service), Manners::Podman);
    assert!(podman.hosts.is_empty() && podman.log.len() == 1);
}

#[test]
fn beside_an_instance() {
    let mut request = request(|service| service.volume("cache:/cache"));
    request.publish = vec![Publish::new(80, 20_001)];
    let mut asked = ExecRequest::new(&Arc::new(request), vec!["seed".to_owned(), "-x".to_owned()], Duration::ZERO);
    asked.stdin = b"data".to_vec();
    let spec = beside(&asked, Manners::Docker, "ab.7");
    assert_eq!(spec.name, "shop-db-2-12345678-hook-ab.7");
    assert_eq!((spec.entrypoint, spec.command), (Some(vec!["seed".to_owned()]), vec!["-x".to_owned()]));
    assert_eq!((spec.mounts.len(), spec.ports.len(), spec.aliases.len()), (1, 0, 0));
    assert_eq!(spec.labels[labels::HOOK], "ab.7");
    assert!(spec.stdin);
}
