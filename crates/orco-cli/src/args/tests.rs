#![allow(clippy::unwrap_used)]

use std::path::Path;

use clap::{CommandFactory, Parser};

use super::*;

fn parse(line: &str) -> Cli {
    Cli::try_parse_from(line.split_whitespace()).unwrap()
}

fn refuse(line: &str) -> String {
    Cli::try_parse_from(line.split_whitespace()).unwrap_err().to_string()
}

#[test]
fn clap_finds_no_contradiction() {
    Cli::command().debug_assert();
}

#[test]
fn the_file_may_stand_before_or_after() {
    for line in ["orco -f a.yaml status", "orco status -f a.yaml", "orco -f b.yaml status --file a.yaml"] {
        let cli = parse(line);
        let Command::Status(status) = cli.command else { panic!("{line}") };
        assert_eq!(status.stack.or(&cli.stack).file.as_deref(), Some(Path::new("a.yaml")), "{line}");
    }
}

#[test]
fn minus_f_follows_where_there_is_something_to_follow() {
    let cli = parse("orco -f a.yaml logs -f api --tail 5 --level warn");
    let Command::Logs(logs) = cli.command else { panic!() };
    assert!(logs.follow);
    assert_eq!(logs.services, ["api"]);
    assert_eq!(logs.tail, Tail::Last(5));
    assert_eq!(StackArgs::from(logs.stack).or(&cli.stack).file.as_deref(), Some(Path::new("a.yaml")));
}

#[test]
fn exec_keeps_the_dashes_of_its_command() {
    let Command::Exec(exec) = parse("orco exec db --replica 1 -- psql -c select").command else { panic!() };
    assert_eq!(exec.argv, ["psql", "-c", "select"]);
    assert_eq!(exec.replica, Some(1));
}

#[test]
fn nonsense_is_refused() {
    for line in [
        "orco restart",
        "orco scale api",
        "orco scale api=many",
        "orco scale api=0",
        "orco up --no-deps",
        "orco up --wait",
        "orco -f a --stack b status",
        "orco logs --invert",
        "orco logs --since 5",
        "orco graph --dot -o json",
        "orco exec db psql",
    ] {
        refuse(line);
    }
    insta::assert_snapshot!(refuse("orco logs --since 5"));
}

#[test]
fn later_commands_take_anything() {
    for line in ["orco apply --dry-run", "orco tui --read-only", "orco ls -o json"] {
        parse(line);
    }
}

#[test]
fn the_daemon_takes_what_it_needs() {
    let Command::Daemon { command: Daemon::Run(run) } = parse("orco daemon run -f x").command else { panic!() };
    assert_eq!(run.stack.file.as_deref(), Some(Path::new("x")));
    let Command::Up(up) = parse("orco up -d --wait --timeout 5s api").command else { panic!() };
    assert!(up.detach && up.wait);
    for line in ["orco daemon engine /x", "orco daemon engine --check", "orco systemd-unit --user -f x"] {
        parse(line);
    }
    for line in ["orco daemon", "orco daemon engine", "orco daemon engine /x --check", "orco daemon run extra"] {
        refuse(line);
    }
}

#[test]
fn help() {
    let mut command = Cli::command().term_width(100);
    insta::assert_snapshot!(command.render_help().to_string());
}

#[test]
fn a_keepers_words_are_read_as_the_parser_reads_them() {
    let read = |line: &str| DaemonEngine::of_a_keeper(line.split(' ').map(Into::into));
    let line = "orco daemon engine /state/1 --program /bin/orco";
    let ours = read(line).unwrap();
    let Command::Daemon { command: Daemon::Engine(theirs) } = parse(line).command else { panic!() };
    assert_eq!((&ours.dir, &ours.program, ours.check), (&theirs.dir, &theirs.program, theirs.check));
    for line in
        ["orco", "orco daemon engine --check", "orco daemon engine /state/1", "orco daemon engine d --program p"]
    {
        assert!(read(line).is_none(), "{line}");
    }
    assert!(read("orco daemon engine /state/1 --program /bin/orco more").is_none());
}
