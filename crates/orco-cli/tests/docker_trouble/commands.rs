//! `orco exec` inside containers ends as its command does.

use std::{io::Write, process::Stdio};

use crate::engine::{Engine, IMAGE, SOCKET, Yard};

#[test]
fn exec_in_containers_ends_as_its_command_does() {
    let Some(engine) = Engine::system() else { return };
    let services = format!(
        "  a: {{ image: \"{IMAGE}\", command: [sleep, \"1000\"], replicas: 2, env: {{ N: \"${{replica}}\" }} }}\n"
    );
    let yard = Yard::new(&engine, SOCKET, &services);
    let done = yard.bench.orco(&["up", "-d", "--wait"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let table: [(&[&str], i32, &str); 8] = [
        (&["true"], 0, ""),
        (&["sh", "-c", "exit 4"], 4, "a/0: exit code 4"),
        (&["sh", "-c", "exit $N"], 1, "a/1: exit code 1"),
        (&["sh", "-c", "exit 126"], 126, "a/0: exit code 126"),
        (&["sh", "-c", "exit 127"], 127, "a/0: exit code 127"),
        (&["sh", "-c", "kill -TERM $$"], 143, "a/0: killed by SIGTERM"),
        (&["no-such-program"], 127, "no-such-program"),
        (&["/etc"], 126, "/etc"),
    ];
    for (argv, code, says) in table {
        let done = yard.bench.orco(&[&["exec", "a", "--"], argv].concat());
        assert_eq!(done.code, Some(code), "{argv:?}: {done:?}");
        assert!(done.err.contains(says) && done.err.is_empty() == says.is_empty(), "{argv:?}: {}", done.err);
    }
    let bytes: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let mut command =
        yard.bench.command(&["exec", "-i", "a", "--replica", "1", "--", "sh", "-c", "cat | md5sum; exit 7"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            input.write_all(&bytes).unwrap();
            drop(input);
        });
        child.wait_with_output().unwrap()
    });
    // As `md5sum` says of these bytes anywhere.
    assert_eq!(String::from_utf8(done.stdout).unwrap().trim(), "c35cc7d8d91728a0cb052831bc4ef372  -");
    assert_eq!(done.status.code(), Some(7));
    let done =
        yard.bench.orco(&["exec", "a", "--replica", "0", "--", "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x"]);
    assert_eq!((done.code, done.out.len()), (Some(0), 64 << 10));
    assert!(done.err.contains("34464 bytes are not"), "{}", done.err);
}
