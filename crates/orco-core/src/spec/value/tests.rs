#![allow(clippy::unwrap_used)]

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    time::Duration,
};

use proptest::prelude::*;

use super::*;
use crate::spec::{Port, Protocol, Volume, VolumeSource, is_engine_socket};

#[test]
fn durations() {
    for (text, millis) in
        [("500ms", 500), ("1s", 1_000), ("1m30s", 90_000), ("2h", 7_200_000), ("7d", 604_800_000), ("0s", 0)]
    {
        assert_eq!(parse_duration(text).unwrap(), Duration::from_millis(millis), "{text}");
    }
    for text in
        ["", "30", "0", "-1s", "1e400s", "1s1h", "1s1s", "s", "1 s", "1.5s", "9223372036854775807s", "1S", "１s"]
    {
        assert!(parse_duration(text).is_err(), "{text}");
    }
    assert_eq!(parse_duration("30").unwrap_err().message, "duration `30` has no unit");
}

#[test]
fn sizes() {
    for (text, bytes) in [("0", 0), ("128000", 128_000), ("512MiB", 512 << 20), ("1kB", 1_000), ("7B", 7)] {
        assert_eq!(parse_size(text).unwrap(), bytes, "{text}");
    }
    for text in ["", "MiB", "1.5GiB", "-1", "1 MiB", "1mib", "9223372036854775808", "9000000000TiB"] {
        assert!(parse_size(text).is_err(), "{text}");
    }
}

#[test]
fn numbers() {
    assert_eq!(integer("-3", -5, 5).unwrap(), -3);
    for text in ["", "-", "012", "0x10", "1e3", "1_000", "6", "99999999999999999999", "１"] {
        assert!(integer(text, -5, 5).is_err(), "{text}");
    }
    assert_eq!(percent("25%").unwrap(), 25);
    for text in ["25", "101%", "-1%", "%", "2.5%"] {
        assert!(percent(text).is_err(), "{text}");
    }
    for (text, millis) in [("500m", 500), ("2", 2_000), ("0.5", 500), ("1.25", 1_250)] {
        assert_eq!(cpu_millis(text).unwrap(), millis, "{text}");
    }
    for text in ["", "0", "0m", "m", "-1", "1.2345", "1e3", "0.0"] {
        assert!(cpu_millis(text).is_err(), "{text}");
    }
    assert_eq!(status_range("200").unwrap(), (200, 200));
    assert_eq!(status_range("200-299").unwrap(), (200, 299));
    for text in ["99", "600", "299-200", "2xx", "200-"] {
        assert!(status_range(text).is_err(), "{text}");
    }
    assert!((ratio("1.8", 1.0).unwrap() - 1.8).abs() < f64::EPSILON);
    for text in ["0.9", "nan", "inf", "-1", "1.2.3", "", ".", "1e9999"] {
        assert!(ratio(text, 1.0).is_err(), "{text}");
    }
}

#[test]
fn signals() {
    for (text, number) in [("SIGTERM", 15), ("term", 15), ("9", 9), ("SIGHUP", 1), ("USR2", 12), ("64", 64)] {
        assert_eq!(signal_number(text), Some(number), "{text}");
    }
    for text in ["", "SIG", "SIGNOPE", "0", "65", "-9"] {
        assert_eq!(signal_number(text), None, "{text}");
    }
    assert_eq!(parse_signal("SIGTREM").unwrap_err().help.as_deref(), Some("did you mean `SIGTERM`?"));
    for number in 1..=31 {
        assert_eq!(signal_number(&signal_name(number).unwrap()), Some(number));
    }
}

#[test]
fn port_mappings() {
    for text in
        ["", "5432:", "70000:1", "::1:80:80", "0:80", "a:80", "1:2:3:4", "80/sctp", "80:80/", "999.1.1.1:1:1", ":80"]
    {
        assert!(parse_port(text).is_err(), "{text}");
    }
    let port = parse_port("[::1]:8080:80/http").unwrap();
    assert_eq!((port.ip, port.host, port.target), (Some(IpAddr::V6(Ipv6Addr::LOCALHOST)), Some(8080), 80));
    assert_eq!(port.protocol, Protocol::Http);
}

#[test]
fn mounts() {
    let bind = |path: &str| VolumeSource::Bind(path.into());
    for (text, source, target, read_only) in [
        ("./a:/b", bind("./a"), "/b", false),
        ("../a:/b:ro", bind("../a"), "/b", true),
        ("/a/b:/b:rw", bind("/a/b"), "/b", false),
        (".:/b", bind("."), "/b", false),
        ("a/b:/b", bind("a/b"), "/b", false),
        ("data:/b", VolumeSource::Named("data".to_owned()), "/b", false),
        ("ro:/b", VolumeSource::Named("ro".to_owned()), "/b", false),
        ("/b", VolumeSource::Anonymous, "/b", false),
        ("/b:ro", VolumeSource::Anonymous, "/b", true),
    ] {
        let volume = parse_volume(text).unwrap();
        assert_eq!((volume.source, volume.target.as_str(), volume.read_only), (source, target, read_only), "{text}");
    }
    for text in [
        "",
        ":",
        "a",
        "a:b",
        ":/b",
        "/a:/",
        "/",
        "/a:/..",
        "/a:/b:/c",
        "~:/b",
        "~/a:/b",
        "~me/a:/b",
        "a b:/b",
        "-a:/b",
        "/a:/b:z",
        "/a:/b:RO",
        "/a:/b:ro:ro",
        "ro",
        ":ro",
        "/a:/b/../c",
    ] {
        assert!(parse_volume(text).is_err(), "{text}");
    }
    assert_eq!("~/a:/b".parse::<Volume>().unwrap_err().to_string(), "`~/a:/b` is not a mount: `~` is not expanded");
}

#[test]
fn sockets_of_engines() {
    for path in ["/", "/var", "/run", "/var/run", "/var/run/", "/run/user", "/run/user/1000", "/run/user/0/podman"] {
        assert!(is_engine_socket(Path::new(path)), "{path}");
    }
    for path in ["/run/docker.sock", "/x/podman.sock", "docker.sock", "/run/containerd", "/run/docker", "/run/podman"] {
        assert!(is_engine_socket(Path::new(path)), "{path}");
    }
    for path in ["/var/lib", "/run/lock", "/srv/docker.sock.d", "/run/user/1000/bus", "/var/log", "/home/me", "/sys"] {
        assert!(!is_engine_socket(Path::new(path)), "{path}");
    }
}

#[test]
fn addresses_and_urls() {
    for good in ["localhost:5432", "[::1]:80", "localhost:${port}", "${endpoint.db}", "127.0.0.1:1"] {
        assert_eq!(check_address(good), Ok(()), "{good}");
    }
    for bad in ["", "localhost", ":80", "::1:80", "a b:80", "localhost:0", "localhost:65536", "http://x:80", "x:${port"]
    {
        assert!(check_address(bad).is_err(), "{bad}");
    }
    for good in [
        "http://localhost/",
        "http://localhost:8080/health?x=1:2",
        "https://[::1]:443",
        "http://localhost:${port}/health",
        "http://${endpoint.api}/x",
        "http://[::1]/",
    ] {
        assert_eq!(check_url(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "localhost:80",
        "ftp://x/",
        "http://",
        "http:///x",
        "http://x:0/",
        "http://x:99999/",
        "http://x y/",
        "http://u@x/",
    ] {
        assert!(check_url(bad).is_err(), "{bad}");
    }
    assert_eq!(url_port("http://localhost:5432/x"), Some(5432));
    assert_eq!(url_port("http://[::1]/"), Some(80));
    assert_eq!(url_port("http://localhost:${port}/"), None);
}

#[test]
fn command_lines() {
    for (text, words) in [
        ("", &[][..]),
        ("  ./a   b\tc\n", &["./a", "b", "c"]),
        (r#"echo "a b" 'c "d' e\ f"#, &["echo", "a b", "c \"d", "e f"]),
        (r#"a"b"'c'd"#, &["abcd"]),
        (r#"x "" ''"#, &["x", "", ""]),
        (r#""\$HOME \n \\""#, &["$HOME \\n \\"]),
        ("a \\\n b", &["a", "b"]),
        ("a && b | c > d", &["a", "&&", "b", "|", "c", ">", "d"]),
        ("$HOME ${port} *", &["$HOME", "${port}", "*"]),
    ] {
        assert_eq!(split_command(text).unwrap(), words, "{text}");
    }
    for text in ["'", "\"", "a 'b", "a \"b\\\"", "a\\"] {
        assert!(split_command(text).is_err(), "{text}");
    }
}

#[test]
fn patterns_are_bounded() {
    for good in ["ready", "(a+)+$", r"^\d+ started"] {
        assert!(compile_pattern(good).is_ok(), "{good}");
    }
    for bad in ["(", "a{2", r"\1", "(.{1,50}){50}", "((a{1000}){1000}){1000}", "(?<!x)y"] {
        let bad_one = compile_pattern(bad);
        assert!(bad_one.is_err() || bad == "a{2", "{bad}");
    }
}

#[test]
fn what_was_meant() {
    for (text, near) in [
        ("dependOn", Some("dependsOn")),
        ("depends_on", Some("dependsOn")),
        ("DEPENDSON", Some("dependsOn")),
        ("helath", Some("health")),
        ("helth", Some("health")),
        ("xyz", None),
        ("", None),
    ] {
        assert_eq!(nearest(text, ["health", "dependsOn", "env"]), near, "{text}");
    }
}

/// A word as a shell would need it quoted.
fn quote(word: &str, style: u8) -> String {
    match style {
        0 => format!("'{}'", word.replace('\'', "'\\''")),
        _ => {
            let mut text = String::from("\"");
            for c in word.chars() {
                if matches!(c, '"' | '\\' | '$' | '`') {
                    text.push('\\');
                }
                text.push(c);
            }
            text.push('"');
            text
        }
    }
}

fn ports() -> impl Strategy<Value = Port> {
    let ip = prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from(bits))),
    ];
    let protocol = prop_oneof![Just(Protocol::Tcp), Just(Protocol::Udp), Just(Protocol::Http)];
    let host = proptest::option::of((1..=u16::MAX, proptest::option::of(ip)));
    (host, 1..=u16::MAX, protocol).prop_map(|(host, target, protocol)| {
        let (host, ip) = host.unzip();
        Port { ip: ip.flatten(), host, target, protocol, name: None }
    })
}

fn volumes() -> impl Strategy<Value = Volume> {
    let source = prop_oneof![
        "(/[ -~é]{1,8}){1,3}".prop_map(|path| VolumeSource::Bind(path.into())),
        "[a-zA-Z0-9][a-zA-Z0-9_.-]{0,12}".prop_map(VolumeSource::Named),
        Just(VolumeSource::Anonymous),
    ];
    (source, "(/[a-z :]{1,5}){1,3}", any::<bool>()).prop_map(|(source, target, read_only)| {
        let volume = Volume::new(source, target.replace(':', "x"));
        if read_only { volume.read_only() } else { volume }
    })
}

proptest! {
    #[test]
    fn volumes_read_what_they_write(volume in volumes()) {
        prop_assert_eq!(volume.to_string().parse::<Volume>().unwrap(), volume);
    }

    #[test]
    fn durations_read_what_they_write(millis in 0..=36_500_u64 * 86_400_000) {
        let duration = Duration::from_millis(millis);
        prop_assert_eq!(parse_duration(&show_duration(duration)).unwrap(), duration);
    }

    #[test]
    fn sizes_read_what_they_write(bytes in 0..=i64::MAX as u64, shift in 0..40_u32) {
        let bytes = bytes >> shift << shift;
        prop_assert_eq!(parse_size(&show_size(bytes)).unwrap(), bytes);
    }

    #[test]
    fn ports_read_what_they_write(port in ports()) {
        prop_assert_eq!(parse_port(&port.to_string()).unwrap(), port);
    }

    #[test]
    fn commands_read_quoted_words(words in proptest::collection::vec(("[ -~\n\té]{0,12}", 0..2_u8), 0..6)) {
        let line: Vec<_> = words.iter().map(|(word, style)| quote(word, *style)).collect();
        let expected: Vec<_> = words.into_iter().map(|(word, _)| word).collect();
        prop_assert_eq!(split_command(&line.join("  ")).unwrap(), expected);
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,24}") {
        let _ = (parse_duration(&text), parse_size(&text), parse_port(&text), split_command(&text));
        let _ = (check_url(&text), check_address(&text), cpu_millis(&text), amount(&text), status_range(&text));
        let _ = (Volume::read(&text), check_network(&text), check_platform(&text), parse_volume(&text));
        let _ = (parse_signal(&text), ratio(&text, 1.0), url_port(&text), shell_words(&text));
    }
}
