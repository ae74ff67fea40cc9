#![allow(clippy::unwrap_used)]

use super::*;

fn of(line: &str) -> Level {
    guess(line.as_bytes(), Source::Stderr)
}

/// Lines as the programs write them.
#[test]
fn loggers() {
    use Level::{Debug, Error, Fatal, Info, Trace, Warn};
    let table = [
        ("klog", "E1121 15:04:05.678901       1 controller.go:114] sync failed", Error),
        ("klog", "I1121 15:04:05.678901       1 main.go:1] an error of no weight", Info),
        ("glog", "W20261121 15:04:05.678901 12 file.cc:12] slow", Warn),
        ("sd-daemon", "<3>cannot open", Error),
        ("sd-daemon", "<7>ERROR is what it says", Debug),
        ("syslog", "<34>1 2026-11-21T15:04:05Z host su - ID47 - failed for root", Fatal),
        ("syslog", "<165>Nov 21 15:04:05 host app: hello", Info),
        ("redis", "12:M 21 Nov 2026 15:04:05.678 # Warning: no config file", Warn),
        ("redis", "1:C 21 Nov 2026 15:04:05.678 * Ready to accept connections", Info),
        ("log4j", "2026-11-21 15:04:05,678 ERROR [main] com.foo.Bar - boom", Error),
        ("log4j 1", "0    [main] DEBUG com.foo.Bar  - entering", Debug),
        ("logback", "15:04:05.678 [http-nio-8080-exec-1] WARN  c.f.Bar - slow", Warn),
        ("spring boot", "2026-11-21T15:04:05.678Z ERROR 123 --- [main] o.s.b.SpringApplication : failed", Error),
        ("java.util.logging", "SEVERE: Servlet.service() threw", Error),
        ("java.util.logging", "FINE: entering", Debug),
        ("elasticsearch", "[2026-11-21T15:04:05,678][WARN ][o.e.d.z.Zen] [node-1] not enough masters", Warn),
        ("kafka", "[2026-11-21 15:04:05,678] INFO [KafkaServer id=0] started", Info),
        ("nginx", "2026/11/21 15:04:05 [error] 7#7: *1 no live upstreams", Error),
        ("nginx", "2026/11/21 15:04:05 [emerg] 1#1: host not found", Fatal),
        ("nginx", "nginx: [warn] conflicting server name", Warn),
        ("apache", "[Sat Nov 21 15:04:05.678 2026] [core:error] [pid 12] AH00124: limit", Error),
        ("haproxy", "[ALERT]    (1) : config : cannot bind", Fatal),
        ("envoy", "[2026-11-21 15:04:05.678][1][critical][main] [source/server.cc:1] error", Fatal),
        ("postgres", "2026-11-21 15:04:05.678 UTC [12] FATAL:  role \"x\" does not exist", Fatal),
        ("postgres", "2026-11-21 15:04:05.678 UTC [12] LOG:  statement: SELECT 'ERROR: no'", Info),
        ("postgres", "2026-11-21 15:04:05.678 UTC [12] DEBUG1:  checkpoint", Debug),
        ("postgres", "2026-11-21 15:04:05.678 UTC [12] app@db WARNING:  there is no transaction", Warn),
        ("mysql", "2026-11-21T15:04:05.678901Z 0 [Warning] [MY-010068] [Server] CA is self signed", Warn),
        ("mysql", "2026-11-21 15:04:05 0 [ERROR] Aborting", Error),
        ("mongodb 3", "2026-11-21T15:04:05.678+0000 I NETWORK [main] waiting", Info),
        ("rabbitmq", "2026-11-21 15:04:05.678901+00:00 [warning] <0.1.0> closing", Warn),
        ("nats", "[1] 2026/11/21 15:04:05.678901 [ERR] Error in cluster", Error),
        ("coredns", "[INFO] 127.0.0.1:12 - 34 \"A IN example. udp\" NOERROR", Info),
        ("python logging", "WARNING:root:low disk", Warn),
        ("python format", "2026-11-21 15:04:05,678 - my.logger - ERROR - boom", Error),
        ("django", "ERROR 2026-11-21 15:04:05,678 views 12 boom", Error),
        ("gunicorn", "[2026-11-21 15:04:05 +0000] [12] [CRITICAL] WORKER TIMEOUT", Fatal),
        ("uvicorn", "INFO:     Started server process [12]", Info),
        ("celery", "[2026-11-21 15:04:05,678: WARNING/MainProcess] no heartbeat", Warn),
        ("airflow", "[2026-11-21T15:04:05.678+0000] {taskinstance.py:1234} ERROR - Task failed", Error),
        ("loguru", "2026-11-21 15:04:05.678 | ERROR    | main:f:1 - boom", Error),
        ("env_logger", "[2026-11-21T15:04:05Z ERROR api::db] boom", Error),
        ("env_logger", "[WARN  api] slow", Warn),
        ("tracing", "2026-11-21T15:04:05.123456Z  INFO api: listening", Info),
        ("tracing", "2026-11-21T15:04:05.123456Z TRACE request{id=1}: api: in", Trace),
        (
            "tracing",
            "\x1b[2m2026-11-21T15:04:05Z\x1b[0m \x1b[31mERROR\x1b[0m \x1b[2mapi\x1b[0m\x1b[2m:\x1b[0m boom",
            Error,
        ),
        ("rails", "E, [2026-11-21T15:04:05.123456 #12] ERROR -- : boom", Error),
        ("monolog", "[2026-11-21 15:04:05] app.ERROR: boom {\"a\":1} []", Error),
        ("symfony", "[2026-11-21T15:04:05+00:00] request.CRITICAL: Uncaught", Fatal),
        ("php", "PHP Warning:  Undefined variable $x in /a.php on line 1", Warn),
        ("php", "PHP Fatal error:  Uncaught Error", Error),
        (".net", "fail: Microsoft.AspNetCore.Server.Kestrel[13]", Error),
        (".net", "dbug: Microsoft.Hosting[0]", Debug),
        (".net", "trce: Microsoft.Hosting[0]", Trace),
        (".net", "crit: Microsoft.AspNetCore.Hosting[6]", Fatal),
        ("serilog", "[15:04:05 WRN] slow", Warn),
        ("logrus tty", "ERRO[0002] boom                     animal=walrus", Error),
        ("logrus tty", "\x1b[36mDEBU\x1b[0m[0001] entering", Debug),
        ("logrus tty", "FATA[0000] cannot listen", Fatal),
        ("logrus", "time=\"2026-11-21T15:04:05Z\" level=warning msg=\"error: low\"", Warn),
        ("slog", "time=2026-11-21T15:04:05.678Z level=ERROR msg=boom", Error),
        ("slog", "time=2026-11-21T15:04:05.678Z level=DEBUG-4 msg=x", Debug),
        ("go-kit", "ts=2026-11-21T15:04:05Z caller=main.go:12 level=info msg=\"an ERROR: quoted\"", Info),
        ("log15", "t=2026-11-21T15:04:05+0000 lvl=eror msg=boom", Error),
        ("grafana", "logger=settings t=2026-11-21T15:04:05Z level=warn msg=x", Warn),
        ("logfmt", "msg=\"the level=debug is quoted\" severity=\"error\"", Error),
        (
            "logfmt, late",
            "ts=2026-11-21T15:04:05.678901234Z component=queue-manager-with-a-long-name url=http://a.example/very/long/path?x=1 level=error msg=x",
            Error,
        ),
        ("zerolog console", "3:04PM WRN slow", Warn),
        ("zerolog console", "\x1b[90m3:04PM\x1b[0m \x1b[1m\x1b[31mFTL\x1b[0m\x1b[0m boom", Fatal),
        ("zap console", "2026-11-21T15:04:05.678Z\tERROR\tapp/main.go:12\tboom", Error),
        ("zap console", "1.795e+09\tinfo\tapp/main.go:12\tERROR is no level here", Info),
        ("hclog", "2026-11-21T15:04:05.678Z [WARN]  core: no quorum", Warn),
        ("geth", "ERROR[11-21|15:04:05.678] Failed to bind", Error),
        ("winston", "error: boom", Error),
        ("winston, coloured", "\x1b[31merror\x1b[39m: boom", Error),
        ("winston", "2026-11-21T15:04:05.678Z warn: slow", Warn),
        ("pino-pretty", "[15:04:05.678] ERROR (12): boom", Error),
        ("npm", "npm ERR! code ELIFECYCLE", Error),
        ("npm", "npm WARN deprecated x@1", Warn),
        ("webpack", "WARNING in ./src/a.js", Warn),
        ("rustc", "error[E0425]: cannot find value", Error),
        ("rustc", "warning: unused variable", Warn),
        ("gcc", "main.c:3:5: error: 'x' undeclared", Error),
        ("git", "fatal: not a git repository", Fatal),
        ("go", "panic: runtime error: index out of range", Fatal),
        ("node", "Error: connect ECONNREFUSED 127.0.0.1:5432", Error),
        ("elixir", "15:04:05.678 [error] GenServer terminating", Error),
        ("erlang", "=ERROR REPORT==== 21-Nov-2026::15:04:05 ===", Error),
        ("networkmanager", "<warn>  [1795.1] device: slow", Warn),
        ("syslog text", "Nov 21 15:04:05 host app[12]: ERROR boom", Error),
    ];
    let wrong: Vec<_> = table.iter().filter(|(_, line, want)| of(line) != *want).map(|row| (row, of(row.1))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What looks like a level and is none.
#[test]
fn sentences_names_and_requests_have_no_level() {
    for line in [
        "",
        "error",
        "ERROR_COUNT is 0",
        "DEBUG=1 node app.js",
        "export LOG=/var/log/x",
        "no error: all is well",
        "thread main: error handling works",
        "0 errors, 0 warnings",
        "Please report any ERROR to the team",
        "PHP Stack trace:",
        "for your info: the level=up screen",
        "127.0.0.1 - - [21/Nov/2026:15:04:05 +0000] \"TRACE / HTTP/1.1\" 405 0",
        "TRACE / HTTP/1.1",
        "GET /set?level=error HTTP/1.1",
        "GET /ERROR HTTP/1.1",
        "wrote ERROR.md",
        "LOG FILE opened",
        "level=12",
        "zoom-level=error",
        "<12 people came>",
        "<33> is no priority",
        "E1121 is a room",
        "I think so",
        "12:M is a size",
        "\x1b[",
        "\x1b[31",
        "<",
        "<3",
        "INFORMATIONAL",
        "ｅｒｒｏｒ: wide",
    ] {
        assert_eq!(of(line), Level::Info, "{line}");
    }
    let far = format!("{} ERROR far away", "x".repeat(200));
    assert_eq!(of(&far), Level::Info);
    assert_eq!(guess(b"whatever", Source::System), Level::Warn);
}

#[test]
fn json() {
    use Level::{Debug, Error, Fatal, Info, Trace, Warn};
    let table = [
        ("pino", r#"{"level":30,"time":1,"msg":"hi"}"#, Some(Info)),
        ("pino", r#"{"level":60,"time":1,"msg":"hi"}"#, Some(Fatal)),
        ("bunyan", r#"{"name":"a","v":0,"level":20,"msg":"hi"}"#, Some(Debug)),
        ("zap", r#"{"level":"dpanic","ts":1.5,"msg":"x"}"#, Some(Fatal)),
        ("slog", r#"{"time":"x","level":"INFO+2","msg":"x"}"#, Some(Info)),
        ("zerolog", r#"{"level":"trace","message":"x"}"#, Some(Trace)),
        ("google cloud", r#"{"severity":"EMERGENCY","message":"x"}"#, Some(Fatal)),
        ("google cloud", r#"{"severity":"DEFAULT","message":"x"}"#, Some(Info)),
        ("google cloud", r#"{"severity":400,"message":"x"}"#, Some(Warn)),
        ("syslog number", r#"{"severity":3,"message":"x"}"#, Some(Error)),
        ("journald", r#"{"PRIORITY":"4","MESSAGE":"x"}"#, Some(Warn)),
        ("gelf", r#"{"version":"1.1","short_message":"x","level":3}"#, Some(Error)),
        ("monolog", r#"{"message":"x","level":400,"level_name":"ERROR"}"#, Some(Error)),
        ("python-json-logger", r#"{"levelname":"WARNING","message":"x"}"#, Some(Warn)),
        (".net", r#"{"EventId":0,"LogLevel":"Critical","Message":"x"}"#, Some(Fatal)),
        ("ecs", r#"{"@timestamp":"x","log.level":"error","message":"x"}"#, Some(Error)),
        ("ecs nested", r#"{"log":{"level":"warn"},"message":"x"}"#, Some(Warn)),
        ("otel", r#"{"severity_text":"Error","body":"x"}"#, Some(Error)),
        ("serilog", r#"{"@t":"x","@mt":"y","@l":"Warning"}"#, Some(Warn)),
        ("mongodb", r#"{"t":{"$date":"x"},"s":"E","c":"NETWORK","id":1,"ctx":"main","msg":"x"}"#, Some(Error)),
        ("lvl", r#"{"lvl":"Eror"}"#, Some(Error)),
        ("a game", r#"{"event":"up","level":3}"#, None),
        ("a game", r#"{"event":"up","level":"hard"}"#, None),
        ("no number of ours", r#"{"level":-10}"#, None),
        ("nonsense", r#"{"level":{"a":1},"severity":[3],"lvl":null}"#, None),
    ];
    for (logger, line, want) in table {
        let mut fields = serde_json::from_str(line).unwrap();
        assert_eq!(take(&mut fields), want, "{logger}: {line}");
    }
}
