//! Parts that this executable plays in processes of their own.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use orco_core::spec::{Check, ServiceBuilder, Stack};
use orco_test::{Fixture, TestStack};

/// A server with two ports, a child process, and the mark.
pub fn stack(mark: &str) -> Stack {
    let script = "echo port $PORT; sleep 1000 & echo ready; wait";
    let server = ServiceBuilder::new("server", "process").shell(script).health(Check::log("^ready"));
    let server = server.env("MARK", mark).env("PORT", "${port}").env("METRICS", "${port.metrics}");
    Stack::builder("app").workdir("/").service(server).build().unwrap()
}

/// One that never gets ready.
pub fn stuck(mark: &str) -> Stack {
    let server = ServiceBuilder::new("server", "process").shell("exec sleep 1000").health(Check::log("^ready"));
    Stack::builder("app").workdir("/").service(server.env("MARK", mark)).build().unwrap()
}

/// A web server in a container, and a process that has waited for it.
pub fn mixed(mark: &str) -> Stack {
    let web = "mkdir -p /tmp/www; echo warm > /tmp/www/state; echo ready; exec httpd -f -p 8080 -h /tmp/www";
    let cache = ServiceBuilder::container("cache", "orco-test/busybox:1").command(["sh", "-c", web]).port("8080");
    let cache = cache.label("test.mark", mark).health(Check::http("http://localhost:8080/state"));
    let user = ServiceBuilder::new("user", "process").shell("echo ready; exec sleep 1000").env("MARK", mark);
    let user = user.env("CACHE", "${endpoint.cache}").depends_on("cache").health(Check::log("^ready"));
    Stack::builder("mixed").workdir("/").services([cache, user]).build().unwrap()
}

fn fixture(mark: &str) -> Fixture {
    let linger = std::env::var("ACTOR_LINGER").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    Fixture::new("server", stack(mark)).linger(Duration::from_millis(linger))
}

fn until_told() {
    let mut rest = String::new();
    std::io::stdin().read_to_string(&mut rest).unwrap();
}

/// Does nothing as a test.
#[test]
fn plays_its_part() {
    let (Ok(part), Ok(mark)) = (std::env::var("ACTOR_PART"), std::env::var("ACTOR_MARK")) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(play(&part, &mark));
}

async fn play(part: &str, mark: &str) {
    match part {
        "own" => {
            let running = TestStack::new(stack(mark)).start().await.unwrap();
            println!("@ready {}", running.endpoint("server").await.unwrap());
            until_told();
        }
        "mixed" => {
            let running = TestStack::new(mixed(mark)).start().await.unwrap();
            println!("@ready {}", running.engine().unwrap().id());
            until_told();
        }
        "mixed shared" => {
            let fixture = Fixture::new("mixed", mixed(mark)).linger(Duration::from_millis(200));
            let shared = fixture.hold().await.unwrap();
            println!("@ready {} {}", shared.host_pid().unwrap(), shared.endpoint("cache").await.unwrap());
            until_told();
        }
        "shared" => {
            let begun = Instant::now();
            let shared = fixture(mark).hold().await.unwrap();
            let took = begun.elapsed().as_millis();
            let endpoint = shared.endpoint("server").await.unwrap();
            println!("@ready {} {endpoint} {} {took}", shared.host_pid().unwrap(), shared.unique("db"));
            until_told();
        }
        "shared panics" => {
            let _shared = fixture(mark).keep_on_failure(Duration::from_secs(2)).hold().await.unwrap();
            panic!("a test that fails");
        }
        "panics" => {
            let keep = TestStack::new(stack(mark)).keep_on_failure(Duration::from_secs(2));
            let _running = keep.start().await.unwrap();
            panic!("a test that fails");
        }
        "passes" => {
            let running = TestStack::new(stack(mark)).start().await.unwrap();
            assert!(running.engine().is_none(), "it is to be kept, so it must run elsewhere");
            running.logs("server").wait_for("^ready", Duration::from_secs(5)).await.unwrap();
            running.restart("server").await.unwrap();
            assert_eq!(running.logs("server").count("^ready").await.unwrap(), 2);
            running.shutdown().await.unwrap();
            println!("@down {}", crate::world::marked(mark).len());
        }
        "never ready" => {
            let within = TestStack::new(stuck(mark)).within(Duration::from_millis(300));
            println!("@failed {}", within.start().await.unwrap_err());
            until_told();
        }
        other => panic!("no part {other}"),
    }
}
