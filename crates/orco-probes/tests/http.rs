//! `http` against servers good and hostile.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use orco_core::{
    model::Verdict,
    probe::{ProbeFactory as _, Target},
    spec::ProbeSpec,
};
use orco_probes::Http;
use support::{answering, build, head, http, nobody, serve, serve_on, silent, target, target_at};
use tokio::io::AsyncWriteExt as _;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall is ok";

async fn ask(spec: &ProbeSpec, target: &Target) -> String {
    match build(&Http, spec).check(target).await {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Fail(why) => why.to_string(),
        Verdict::Unknown(why) => format!("unknown {why}"),
    }
}

async fn ask_at(address: SocketAddr, change: impl FnOnce(&mut ProbeSpec)) -> String {
    ask(&http("http://localhost:8080/health", change), &target_at(address)).await
}

fn body(text: &str) -> impl FnOnce(&mut ProbeSpec) {
    move |spec| {
        if let ProbeSpec::Http { expect_body, .. } = spec {
            *expect_body = Some(text.to_owned());
        }
    }
}

fn status(ranges: &[(u16, u16)]) -> impl FnOnce(&mut ProbeSpec) {
    move |spec| {
        if let ProbeSpec::Http { expect_status, .. } = spec {
            *expect_status = ranges.to_vec();
        }
    }
}

#[tokio::test]
async fn statuses() {
    let table = [
        ("HTTP/1.1 200 OK\r\n\r\n", &[][..], "pass"),
        ("HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n", &[], "pass"),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", &[], "http status 400"),
        ("HTTP/1.1 503 Unavailable\r\n\r\n", &[], "http status 503"),
        ("HTTP/1.1 204 No Content\r\n\r\n", &[(200, 200), (204, 204)], "pass"),
        ("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", &[(200, 204)], "http status 302"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", &[], "pass"),
        ("HTTP/1.0 200 OK\r\n\r\n", &[], "pass"),
    ];
    for (answer, ranges, want) in table {
        assert_eq!(ask_at(answering(answer).await, status(ranges)).await, want, "{answer}");
    }
}

#[tokio::test]
async fn bodies() {
    assert_eq!(ask_at(answering(OK).await, body("ok")).await, "pass");
    assert_eq!(ask_at(answering(OK).await, body("")).await, "pass");
    assert_eq!(ask_at(answering(OK).await, body("bad")).await, "http body does not contain `bad`");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n";
    assert_eq!(ask_at(answering(chunked).await, body("ready")).await, "pass");
    assert_eq!(ask_at(answering(chunked).await, body("readyy")).await, "http body does not contain `readyy`");
}

#[tokio::test]
async fn the_request_is_as_asked_for() {
    let (heads, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let address = serve(move |mut stream| {
        let heads = heads.clone();
        async move {
            heads.send(head(&mut stream).await).unwrap();
            stream.write_all(OK.as_bytes()).await.unwrap();
        }
    })
    .await;
    let spec = http("http://localhost:8080/a%20b?q=1", |spec| {
        if let ProbeSpec::Http { method, headers, .. } = spec {
            *method = "HEAD".to_owned();
            headers.push(("X-Probe".to_owned(), "yes".to_owned()));
        }
    });
    assert_eq!(ask(&spec, &target_at(address)).await, "pass");
    let head = seen.recv().await.unwrap().to_lowercase();
    assert!(head.starts_with("head /a%20b?q=1 http/1.1\r\n"), "{head}");
    for line in ["host: localhost:8080", "x-probe: yes", "connection: close", "user-agent: orco-probe"] {
        assert!(head.contains(&format!("{line}\r\n")), "{head}");
    }
}

#[tokio::test]
async fn it_asks_this_instance() {
    let other = answering("HTTP/1.1 500 No\r\n\r\n").await;
    let own = answering(OK).await;
    // The URL names the service's port; somebody else may listen there.
    let mut target = target_at(own);
    target.published.insert(other.port(), 80);
    assert_eq!(ask(&http(&format!("http://127.0.0.1:{}/", other.port()), |_| ()), &target).await, "pass");
    assert_eq!(
        ask(&http(&format!("http://127.0.0.1:{}/", other.port()), |_| ()), &support::target()).await,
        "http status 500"
    );
    target.default_port = Some(own.port());
    assert_eq!(ask(&http("http://127.0.0.1:${port}/${replica}/${service}", |_| ()), &target).await, "pass");
    let by_path = http("http://x/", |spec| {
        if let ProbeSpec::Http { url, path, .. } = spec {
            (*url, *path) = (None, Some("/health".to_owned()));
        }
    });
    assert_eq!(ask(&by_path, &target_at(own)).await, "pass");
    assert_eq!(ask(&by_path, &support::target()).await, "unknown http: no port to ask");
}

#[tokio::test]
async fn localhost_is_both_loopbacks() {
    let address = serve_on("[::1]:0", |mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(OK.as_bytes()).await;
    })
    .await;
    assert_eq!(ask(&http(&format!("http://localhost:{}/", address.port()), |_| ()), &target()).await, "pass");
    let only_v4 = ask(&http(&format!("http://127.0.0.1:{}/", address.port()), |_| ()), &target()).await;
    assert_eq!(only_v4, "http connect: connection refused");
}

#[tokio::test]
async fn hostile_servers() {
    assert_eq!(ask_at(nobody().await, |_| ()).await, "http connect: connection refused");
    let closes = serve(|stream| async move { drop(stream) }).await;
    let said = ask_at(closes, |_| ()).await;
    assert!(["http connection closed before the answer", "http connection reset"].contains(&&*said), "{said}");
    assert_eq!(ask_at(answering("SSH-2.0-OpenSSH_9.9\r\n").await, |_| ()).await, "http answer is not HTTP");
    assert_eq!(
        ask_at(answering("HTTP/1.1 200 OK\r\n").await, |_| ()).await,
        "http connection closed before the answer"
    );

    let endless_head = serve(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        while stream.write_all(&b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(100)).await.is_ok() {}
    })
    .await;
    let said = ask_at(endless_head, |_| ()).await;
    assert!(said.starts_with("http ") && !said.contains("timeout"), "{said}");

    let endless_body = || async {
        serve(|mut stream| async move {
            head(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        })
        .await
    };
    assert_eq!(ask_at(endless_body().await, |_| ()).await, "pass");
    assert_eq!(ask_at(endless_body().await, body("y")).await, "http body does not contain `y`");

    // Two megabytes byte by byte, almost a match each time: the search must not be quadratic.
    let drip = serve(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream.set_nodelay(true);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(b"a").await.is_ok() {}
    })
    .await;
    assert_eq!(
        ask_at(drip, body(&format!("{}b", "a".repeat(999)))).await,
        format!("http body does not contain `{}b`", "a".repeat(999))
    );
}

#[tokio::test]
async fn slow_servers_are_left_at_the_timeout() {
    let slow_head = serve(|mut stream| async move {
        while stream.write_all(b"H").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let short_body = answering("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx").await;
    let held_body = serve(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx").await;
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(ask_at(short_body, body("y")).await, "http connection closed");
    for address in [silent().await, held_body] {
        let mut target = target_at(address);
        target.timeout = Duration::from_millis(100);
        let begun = Instant::now();
        assert_eq!(ask(&http("http://localhost:8080/", body("y")), &target).await, "http timeout");
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
    let mut target = target_at(slow_head);
    target.timeout = Duration::from_millis(100);
    assert_ne!(ask(&http("http://localhost:8080/", |_| ()), &target).await, "pass");
}

#[test]
fn what_is_no_question_is_refused() {
    for (url, why) in [
        ("https://localhost/", "https"),
        ("localhost:80/x", "http://"),
        ("http://me@localhost/", "headers"),
        ("ftp://x/", "http://"),
        ("/health", "http://"),
        ("http:///x", "url"),
    ] {
        let mut spec = http("http://localhost/", |_| ());
        if let ProbeSpec::Http { url: old, .. } = &mut spec {
            *old = Some(url.to_owned());
        }
        let error = Http.build(&spec).unwrap_err();
        assert!(error.contains(why), "{url}: {error}");
    }
    let bad_method = http("http://localhost/", |spec| {
        if let ProbeSpec::Http { method, .. } = spec {
            *method = "GET /".to_owned();
        }
    });
    assert_eq!(Http.build(&bad_method).unwrap_err(), "`GET /` is no method");
    let bad_header = http("http://localhost/", |spec| {
        if let ProbeSpec::Http { headers, .. } = spec {
            headers.push(("X".to_owned(), "a\r\nb".to_owned()));
        }
    });
    assert_eq!(Http.build(&bad_header).unwrap_err(), "header `x` has a bad value");
}
