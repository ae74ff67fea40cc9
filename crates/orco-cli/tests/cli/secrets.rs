//! S20, S21: a secret shows in nothing that anybody is shown, however a service prints it.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::{Path, PathBuf},
};

use crate::{
    bench::{Bench, Done, until},
    daemon::Detached,
};

/// Declared under `secret`.
const DECLARED: &str = "canary-Declared\"7/é";
/// From an env file.
const FILED: &str = "canary/filed+value=99";
/// A key of several lines, from the env file as well.
const KEY: &str = "-----BEGIN canary-----\ncanaryMIIEvQIBADANBgkq\nx\ncanaryhkiG9w0BAQEFAASC\n-----END canary-----";

/// Says everything it knows, in all the ways that come to mind; then in pieces.
const SPEAKER: &str = r#"import base64, json, os, sys, time
values = [os.environ[name] for name in ("DECLARED", "FILED", "KEY")]
out = os.fdopen(1, "wb", 0)
for value in values:
    raw = value.encode()
    print(f"plain {value} and again {value}{value}", file=sys.stderr, flush=True)
    out.write(b"plain " + raw + b"\n")
    out.write(json.dumps({"msg": "login " + value, "level": "warn", "extra": {value: [value]}}).encode() + b"\n")
    out.write(json.dumps({"token": value, "nested": json.dumps({"t": value})}).replace("/", "\\/").encode() + b"\n")
    for before in range(3):
        out.write(b"basic " + base64.b64encode(b"u:x"[:before] + raw + b"!") + b"\n")
        out.write(b"urls " + base64.urlsafe_b64encode(b"u:x"[:before] + raw) + b"\n")
    for byte in b"slow " + raw + b"\n":
        out.write(bytes([byte]))
        time.sleep(0.001)
    out.write(b"x" * 1048570 + raw.replace(b"\n", b"") + b"\n")
out.write(b"the end\n")
if sys.argv[1:] == ["stay"]:
    time.sleep(1000)
sys.stdout = None
os.write(2, b"died of " + values[0].encode() + b"\n")
sys.exit(3)
"#;

/// What must not be seen: each form that the speaker prints, as far as it depends on nothing else.
fn needles() -> Vec<String> {
    let mut found = vec!["canary".to_owned()];
    // Base64 of `canary` in its three places, without the letters at its ends.
    found.extend(["Y2FuYXJ5", "NhbmFye", "jYW5hcn"].map(str::to_owned));
    found
}

fn innocent(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for needle in needles() {
        let at = text.find(&needle);
        let around = at.map(|at| {
            let from = text[..at].char_indices().rev().nth(60).map_or(0, |(at, _)| at);
            text[from..].chars().take(160).collect::<String>()
        });
        assert!(around.is_none(), "{what} shows a secret ({needle}): {}", around.unwrap());
    }
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), found);
        } else if entry.file_type().unwrap().is_file() {
            found.push(entry.path());
        }
    }
}

/// Only segments hold what was printed, and only the journal what services are started with; both are the owner's
/// alone.
fn state_is_innocent(bench: &Bench) {
    let mut all = Vec::new();
    files(&bench.dir.path().join("state"), &mut all);
    for path in all {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let within = path.parent().unwrap().parent().unwrap().file_name().unwrap();
        let is_segment = within == "logs" && (name.ends_with(".log") || name.ends_with(".zst"));
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} is for others too: {mode:o}", path.display());
        if !is_segment && !name.starts_with("journal") {
            innocent(&path.display().to_string(), &fs::read(&path).unwrap());
        }
    }
}

fn bench() -> Bench {
    let bench = Bench::new(
        "  speaker:
    command: [python3, speaker.py, stay]
    envFromFile: .canary.env
    env: { DECLARED: \"${CANARY}\" }
    secret: [DECLARED]
    health: { cmd: { command: [sh, -c, 'echo probe says $$FILED; exit 1'] }, interval: 100ms, startTimeout: 10m }
    hooks: { postStart: { command: [sh, -c, 'echo hook says $$DECLARED; exit 1'] } }
  other:
    command: [sh, -c, 'echo others know \"$$0\"; exec sleep 1000', \"${CANARY}\"]
  fails:
    command: [python3, speaker.py]
    envFromFile: .canary.env
    env: { DECLARED: \"${CANARY}\" }
    secret: [DECLARED]
    restartPolicy: { condition: never }
  absent:
    command: [\"./no/such/${CANARY}\"]
    env: { DECLARED: \"${CANARY}\" }
    secret: [DECLARED]
    restartPolicy: { condition: never }
",
    );
    bench.write("speaker.py", SPEAKER);
    bench.write(".canary.env", &format!("FILED={FILED}\nKEY=\"{KEY}\"\n"));
    let logging = "logging: { directory: exported }\n";
    let stack = fs::read_to_string(bench.dir.path().join("stack.yaml")).unwrap();
    bench.write("stack.yaml", &(logging.to_owned() + &stack));
    Bench {
        env: vec![("CANARY".to_owned(), DECLARED.to_owned()), ("ORCO_LOG".to_owned(), "debug".to_owned())],
        ..bench
    }
}

fn said(bench: &Bench, args: &[&str]) -> Done {
    let done = bench.orco(args);
    innocent(&format!("stdout of {args:?}"), done.out.as_bytes());
    innocent(&format!("stderr of {args:?}"), done.err.as_bytes());
    done
}

fn asked(socket: &Path, path: &str) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).unwrap();
    write!(stream, "GET /api/v1/{path} HTTP/1.1\r\nHost: orco\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn a_secret_shows_nowhere() {
    let bench = bench();
    let daemon = Detached::of(&bench);
    said(&bench, &["validate"]);
    said(&bench, &["graph"]);
    let up = said(&bench, &["up", "-d"]);
    assert_eq!(up.code, Some(0), "{up:?}\n{}", daemon.log());
    until("all is said", || bench.orco(&["logs", "speaker", "fails", "-o", "raw"]).out.matches("the end").count() == 2);
    bench.until("fails", "failed", |service| service["state"] == "Failed");
    bench.until("absent", "failed", |service| service["state"] == "Failed");
    bench.until("speaker", "probed", |service| service["message"].as_str().is_some_and(|text| text.contains("***")));

    for format in ["text", "json", "raw"] {
        let shown = said(&bench, &["logs", "-o", format]);
        assert!(shown.out.contains("plain ***") && shown.out.contains("basic "), "it shows what is no secret");
        assert_eq!(said(&bench, &["logs", "-o", format, "--grep", "canary"]).out, "", "no pattern finds it");
    }
    let others = said(&bench, &["logs", "other", "-o", "raw"]);
    assert_eq!(others.out, "others know ***\n", "what is declared is hidden in everybody's output");
    for args in [
        &["status"][..],
        &["status", "-o", "json"],
        &["events"],
        &["events", "-o", "json"],
        &["why", "speaker"],
        &["why", "fails"],
        &["why", "absent", "-o", "json"],
        &["graph", "-o", "json"],
        &["ls"],
    ] {
        said(&bench, args);
    }
    let events = said(&bench, &["events", "-o", "json"]).out;
    assert!(events.contains("hook says ***"), "{events}");
    assert!(said(&bench, &["why", "fails"]).out.contains("died of ***"));
    let exec = said(&bench, &["exec", "speaker", "--", "sh", "-c", "echo it is $DECLARED; echo $KEY; printenv"]);
    assert!(exec.out.contains("it is ***"), "{exec:?}");

    let text = fs::read_to_string(bench.dir.path().join("stack.yaml")).unwrap();
    bench.write("stack.yaml", &text.replace("others know", "others say"));
    said(&bench, &["apply", "--dry-run"]);
    said(&bench, &["apply", "--dry-run", "-o", "json"]);
    assert_eq!(said(&bench, &["apply"]).code, Some(0));

    let socket = daemon.state().join("control.sock");
    for path in ["status", "events", "logs", "logs?tail=5", "services/fails/why", "graph", "metrics", "openapi.json"] {
        let answer = asked(&socket, path);
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&answer));
        innocent(path, &answer);
    }
    state_is_innocent(&bench);
    daemon.down();
    state_is_innocent(&bench);
    innocent("the daemon's log", daemon.log().as_bytes());
    // Straight from the files, without any engine.
    for format in ["text", "json", "raw"] {
        assert!(said(&bench, &["logs", "-o", format]).out.contains("plain ***"));
    }
    let mut exported = Vec::new();
    files(&bench.dir.path().join("exported"), &mut exported);
    let text: String = exported.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert!(text.contains("plain ***") && text.contains("the end"), "{exported:?}");
    innocent("the export", text.as_bytes());
}

#[test]
fn nor_in_the_foreground() {
    let bench = bench();
    for format in ["text", "json"] {
        let mut up = bench.up_at_once(&["-o", format, "fails", "absent"]);
        let end = up.end();
        assert_eq!(end.code, Some(1), "{}", end.err);
        innocent("up", end.out.as_bytes());
        innocent("up's notes", end.err.as_bytes());
        assert!(end.out.contains("plain ***"), "{}", end.out);
    }
    state_is_innocent(&bench);
}

#[test]
fn who_does_not_want_masks_has_none() {
    let bench = Bench::new(
        "  open: { kind: oneshot, command: [sh, -c, 'echo it is $$VALUE'], envFromFile: .env.open, maskSecrets: false }\n",
    );
    bench.write(".env.open", "VALUE=not-so-secret\n");
    let end = bench.up_at_once(&[]).end();
    assert!(end.out.contains("it is not-so-secret"), "{end:?}");
}
