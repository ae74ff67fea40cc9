//! The pattern for tests that need real services: a container and a process per test, assertions on their endpoints and
//! logs, one fixture that many test processes share, and failures that can be looked at.
//!
//! ```text
//! cargo test --example integration_test                     # as tests, in parallel
//! cargo run --example integration_test                      # one after the other, with words
//! ORCO_TEST_KEEP=1 cargo test --example integration_test    # what fails is left running for 10 minutes, and says where
//! ```
//!
//! Where no container engine answers (or the image is not there), the cache is a process too: what tests say is the same.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::{
    error::Error,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use orco::spec::{Check, Invalid, Need, RetryLimit, ServiceBuilder, Stack};
use orco_test::{Failure, Running, TestStack};
use tempfile::TempDir;

type Outcome = Result<(), Box<dyn Error>>;

const SOON: Duration = Duration::from_secs(5);

/// An image with a shell and a small web server.
const IMAGE: &str = "orco-test/busybox:1";

/// A pull is no matter of a test's time; this example uses only what is there.
fn containers() -> bool {
    let mut docker = Command::new("docker");
    docker.args(["image", "inspect", IMAGE]).stdout(Stdio::null()).stderr(Stdio::null());
    docker.status().is_ok_and(|status| status.success())
}

/// The cache: a container where that can be. The port is what it listens on; tests reach it under another, which is
/// chosen for each of them.
fn cache() -> ServiceBuilder {
    let files = "mkdir -p /tmp/www && echo warm > /tmp/www/state && echo ready";
    let service = match containers() {
        true => ServiceBuilder::container("cache", IMAGE)
            .command(["sh", "-c", &format!("{files} && exec httpd -f -p 8080 -h /tmp/www")])
            .port("8080"),
        false => ServiceBuilder::new("cache", "process").shell("echo ready; exec sleep 1000").env("PORT", "${port}"),
    };
    service.health(Check::log("^ready"))
}

/// The application: a oneshot prepares what the server works on.
fn application(server: &str, folder: &Path) -> Result<Stack, Invalid> {
    let once = |restart: &mut orco::spec::Restart| restart.max_retries = RetryLimit::Limited(0);
    let server = ServiceBuilder::new("server", "process").shell(server).env("PORT", "${port}");
    Stack::builder("shop")
        .workdir(folder)
        .service(ServiceBuilder::new("schema", "process").shell("echo 'orders:' > schema").oneshot())
        .service(cache())
        .service(
            server.depends_on(Need::completed("schema")).depends_on("cache").health(Check::log("^ready")).restart(once),
        )
        .build()
}

/// What a test works with: services that are ready, and a folder of their own.
struct App {
    services: Running,
    folder: TempDir,
}

impl App {
    async fn start(server: &str) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let services = TestStack::new(application(server, folder.path())?).start().await?;
        Ok(Self { services, folder })
    }
}

/// The good case: everything is ready, in order; endpoints are values; logs can be asserted on.
async fn the_server_works_on_the_schema() -> Outcome {
    let app = App::start("cp schema orders && echo ready on $PORT && exec sleep 1000").await?;
    assert_eq!(std::fs::read_to_string(app.folder.path().join("orders"))?, "orders:\n");

    let server: SocketAddr = app.services.endpoint("server").await?;
    let said = app.services.logs("server").wait_for("^ready on", SOON).await?;
    assert_eq!(said.msg, format!("ready on {}", server.port()));
    if containers() {
        assert!(get(app.services.endpoint("cache").await?, "/state")?.ends_with("warm\n"));
    }

    // What happens to others when the server is replaced is a test's business too.
    app.services.restart("server").await?;
    assert_eq!(app.services.logs("server").count("^ready on").await?, 2);
    assert_eq!(app.services.logs("cache").count("^ready").await?, 1, "the cache stays");
    app.services.shutdown().await?;
    Ok(())
}

/// The bad case is a value, and its text is enough: the service at the root of it, its exit and its last words.
async fn a_server_that_fails_says_why() -> Outcome {
    let Err(error) = App::start("echo 'no space for orders' >&2; exit 3").await else {
        return Err("the server must not become ready".into());
    };
    let Some(orco_test::Error::NotReady(why)) = error.downcast_ref() else { return Err(error) };
    let why: &Failure = why;
    assert_eq!((why.service.as_str(), why.exit.as_deref()), ("server", Some("exit code 3")), "{why}");
    assert!(why.log.iter().any(|line| line.contains("no space for orders")), "{why}");
    Ok(())
}

/// What is dear to start is started once, for all tests of all test processes, and ends after the last of them. Each test
/// has a name of its own in it: a database, a schema, a prefix.
async fn many_tests_share_one_cache(test: &str) -> Outcome {
    let stack = Stack::builder("cache").workdir("/").service(cache()).build()?;
    let shared = orco_test::shared("cache", stack).await?;
    let prefix = shared.unique(test);
    println!("  {test} uses {} as {prefix}", shared.endpoint("cache").await?);
    assert_eq!(shared.logs("cache").count("^ready").await?, 1, "there is one, however many use it");
    Ok(())
}

fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[tokio::main]
async fn main() -> Outcome {
    println!(
        "the cache is a {}",
        if containers() { "container" } else { "process: no container engine has its image" }
    );
    the_server_works_on_the_schema().await?;
    println!("the server works on the schema");
    a_server_that_fails_says_why().await?;
    println!("a server that fails says why");
    many_tests_share_one_cache("one").await?;
    many_tests_share_one_cache("other").await?;
    println!("many tests share one cache");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Outcome;

    #[tokio::test]
    async fn the_server_works_on_the_schema() -> Outcome {
        super::the_server_works_on_the_schema().await
    }

    #[tokio::test]
    async fn a_server_that_fails_says_why() -> Outcome {
        super::a_server_that_fails_says_why().await
    }

    #[tokio::test]
    async fn one_test_shares_the_cache() -> Outcome {
        super::many_tests_share_one_cache("one").await
    }

    #[tokio::test]
    async fn another_test_shares_the_cache() -> Outcome {
        super::many_tests_share_one_cache("another").await
    }
}
