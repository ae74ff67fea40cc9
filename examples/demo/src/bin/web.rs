//! The front page. It spreads its visitors over the API's replicas and passes by one that does not answer.

use std::sync::atomic::{AtomicUsize, Ordering};

use orco_demo::{Request, Response, Result, get, serve, setting};

fn main() -> Result<()> {
    let listen = setting("LISTEN")?;
    let replicas: Vec<String> = setting("API")?.split(',').map(str::to_owned).collect();
    println!("http://{listen}/ shows quotes of {} replicas: {}", replicas.len(), replicas.join(" "));
    let turn = AtomicUsize::new(0);
    serve(&listen, move |request| answer(request, &replicas, &turn))
}

fn answer(request: &Request, replicas: &[String], turn: &AtomicUsize) -> Response {
    match request.path.as_str() {
        "/health" => return Response::text(200, "ok\n"),
        "/" => {}
        _ => return Response::text(404, "nothing here\n"),
    }
    let first = turn.fetch_add(1, Ordering::Relaxed);
    for offset in 0..replicas.len() {
        let replica = &replicas[(first + offset) % replicas.len()];
        match get(replica, "/quote") {
            Ok(quote) => return Response::text(200, quote),
            Err(error) => eprintln!("{replica} is passed by: {error}"),
        }
    }
    Response::text(502, "no replica of the API answers\n")
}
