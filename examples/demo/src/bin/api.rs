//! The API: a quote per request, each with its visit's number. Two replicas share one store.

use orco_demo::{Request, Response, Result, Store, argument, serve, setting};

fn main() -> Result<()> {
    let listen = argument("listen")?;
    let name = argument("name")?;
    let kv = setting("KV")?;
    // Every replica can do its work, or it does not come up at all.
    let quotes = count(&kv)?;
    println!("{name} serves {quotes} quotes on {listen}");
    serve(&listen, move |request| answer(request, &name, &kv))
}

fn answer(request: &Request, name: &str, kv: &str) -> Response {
    let outcome = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/health") => count(kv).map(|_| "ok\n".to_owned()),
        ("GET", "/quote") => quote(kv).map(|text| format!("{text}\nserved by {name}\n")),
        _ => return Response::text(404, "try /quote\n"),
    };
    match outcome {
        Ok(body) => Response::text(200, body),
        Err(error) => {
            eprintln!("{} {}: {error}", request.method, request.path);
            Response::text(503, format!("{error}\n"))
        }
    }
}

fn count(kv: &str) -> Result<u64> {
    match Store::connect(kv)?.ask("COUNT quote.")?.parse()? {
        0 => Err("the store is empty".into()),
        quotes => Ok(quotes),
    }
}

fn quote(kv: &str) -> Result<String> {
    let mut store = Store::connect(kv)?;
    let quotes: u64 = store.ask("COUNT quote.")?.parse()?;
    let visit: u64 = store.ask("ADD visits")?.parse()?;
    let text = store.ask(&format!("GET quote.{}", visit % quotes.max(1)))?;
    Ok(format!("visit {visit}: {text}"))
}
