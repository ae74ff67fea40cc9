//! A visit is one more in the cache, for all replicas together. The cache is a Redis.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use orco_demo::{Request, Response, Result, argument, serve, setting};

/// The cache may not keep us waiting longer than this.
const PATIENCE: Duration = Duration::from_secs(1);
/// Longest answer that is read.
const MOST: u64 = 64 * 1024;

fn main() -> Result<()> {
    let listen = argument("listen")?;
    let name = argument("name")?;
    let cache = setting("CACHE")?;
    println!("{name} counts in the cache at {cache}, on {listen}");
    serve(&listen, move |request| answer(request, &name, &cache))
}

fn answer(request: &Request, name: &str, cache: &str) -> Response {
    let outcome = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/health") => greeting(cache).map(|_| "ok\n".to_owned()),
        ("GET", "/") => visit(cache).map(|text| format!("{text}\nserved by {name}\n")),
        _ => return Response::text(404, "try /\n"),
    };
    match outcome {
        Ok(body) => Response::text(200, body),
        Err(error) => {
            eprintln!("{} {}: {error}", request.method, request.path);
            Response::text(503, format!("{error}\n"))
        }
    }
}

fn visit(cache: &str) -> Result<String> {
    let visits = ask(cache, &["INCR", "visits"])?.unwrap_or_default();
    Ok(format!("{}: visit {visits}", greeting(cache)?))
}

fn greeting(cache: &str) -> Result<String> {
    ask(cache, &["GET", "greeting"])?.ok_or_else(|| "nobody has put a greeting into the cache".into())
}

/// One command, one answer; `None` where the cache has nothing.
fn ask(cache: &str, words: &[&str]) -> Result<Option<String>> {
    let address = cache.to_socket_addrs()?.next().ok_or("no such address")?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut command = format!("*{}\r\n", words.len());
    words.iter().for_each(|word| command.push_str(&format!("${}\r\n{word}\r\n", word.len())));
    stream.write_all(command.as_bytes())?;
    let mut reader = BufReader::new(stream.take(MOST));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.trim_end();
    match line.split_at_checked(1) {
        Some(("+" | ":", value)) => Ok(Some(value.to_owned())),
        Some(("$", "-1")) => Ok(None),
        Some(("$", length)) => {
            let mut value = String::new();
            reader.take(length.parse()?).read_to_string(&mut value)?;
            Ok(Some(value))
        }
        Some(("-", why)) => Err(format!("the cache refuses: {why}").into()),
        _ => Err("the cache gives no answer".into()),
    }
}
