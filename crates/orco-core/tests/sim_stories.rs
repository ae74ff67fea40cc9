//! The stories under `tests/golden`: each file is a script with its answers, and its own expectation.
//! `ORCO_GOLDEN=write` writes what is answered now.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr
)]

use std::{fs, path::Path};

use orco_core::sim::tell;

#[test]
fn stories() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden"));
    let write = std::env::var_os("ORCO_GOLDEN").is_some_and(|what| what == "write");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "txt"));
    files.sort();
    let mut wrong = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let expected = fs::read_to_string(file).unwrap();
        let told = tell(&expected).unwrap_or_else(|why| panic!("{name}: {why}"));
        if told == expected {
            continue;
        }
        if write {
            fs::write(file, told).unwrap();
        } else {
            println!("---- {name}\n{}", difference(&expected, &told));
            wrong.push(name);
        }
    }
    assert!(files.len() >= 12, "{} stories", files.len());
    assert!(wrong.is_empty(), "{wrong:?} tell another story now; ORCO_GOLDEN=write takes it over");
}

/// From the first line that differs, a few lines of both.
fn difference(expected: &str, told: &str) -> String {
    let same = expected.lines().zip(told.lines()).take_while(|(a, b)| a == b).count();
    let part = |text: &str, mark: &str| {
        text.lines().skip(same).take(6).map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    format!("line {}\n{}{}", same + 1, part(expected, "-"), part(told, "+"))
}

#[test]
fn a_story_says_what_it_does_not_understand() {
    for (story, why) in [
        ("> dance", "line 1: dance: no such command"),
        ("> service api\n> crash api/0", "line 2: crash api/0: nobody lives at api/0"),
        ("> tick 5", "line 1: tick 5: `5` is no duration"),
    ] {
        assert_eq!(tell(story).unwrap_err(), why);
    }
}
