//! How long it takes to load a stack file: `cargo bench --bench load`. Prints figures and asserts nothing.

use std::{
    fmt::Write as _,
    hint::black_box,
    io,
    path::Path,
    time::{Duration, Instant},
};

use orco::{
    graph::Dag,
    load::{Loader, Sources},
    spec::Known,
};

struct Text(String);

impl Sources for Text {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if path == Path::new("stack.yaml") {
            Ok(self.0.clone().into_bytes())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn var(&self, _: &str) -> Option<String> {
        Some("value".to_owned())
    }
}

/// Services as people write them, 14 lines each, in layers of a hundred.
fn stack(services: usize) -> String {
    let mut text = String::from("version: 0.1\nstack: { name: bench }\nservices:\n");
    for index in 0..services {
        let _ = write!(
            text,
            "  service-{index}:\n    command: [\"./bin/service\", \"--port\", \"${{port}}\"]\n    replicas: 2\n    \
             env:\n      NAME: service {index}\n      LEVEL: ${{LEVEL:-info}}\n    health:\n      interval: 2s\n      \
             http: {{ url: \"http://localhost:${{port}}/health\" }}\n    restartPolicy:\n      \
             maxRetries: 10\n      backoff: {{ min: 500ms, max: 20s, factor: 1.8 }}\n    stop: {{ timeout: 10s }}\n"
        );
        if index >= 100 {
            let _ = writeln!(text, "    dependsOn: [service-{}]", index - 100);
        }
    }
    text
}

fn median(mut run: impl FnMut()) -> Duration {
    run();
    let mut times: Vec<_> = (0..9)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

#[expect(clippy::print_stdout, clippy::expect_used, reason = "a bench")]
fn main() {
    let known = Known::new(["process"], ["http", "tcp", "cmd", "log"]);
    let mut per_service = Vec::new();
    for services in [1_000_u32, 10_000] {
        let sources = Text(stack(services as usize));
        let size = sources.0.len();
        let path = Path::new("stack.yaml");
        let load = median(|| drop(black_box(Loader::new(&sources, &known).load(path))));
        let stack = Loader::new(&sources, &known).load(path).expect("the stack is valid").stack;
        let graph = median(|| drop(black_box(Dag::new(&stack).text())));
        println!(
            "{services:>6} services, {:>4} KiB: load {:>6.1} ms, graph {:>5.1} ms",
            size >> 10,
            load.as_secs_f64() * 1e3,
            graph.as_secs_f64() * 1e3
        );
        per_service.push(load.as_secs_f64() / f64::from(services));
    }
    println!("per service, 10,000 to 1,000: {:.2}×", per_service[1] / per_service[0]);
}
