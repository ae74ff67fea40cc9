//! Reads quotes from the API in turns and logs what it got as JSON, one object per line.

use std::{thread, time::Duration};

use orco_demo::{Result, get, setting};

fn main() -> Result<()> {
    let replicas: Vec<String> = setting("API")?.split(',').map(str::to_owned).collect();
    let pause = Duration::from_millis(setting("PAUSE_MS")?.parse()?);
    let mut read = 0_u64;
    for replica in replicas.iter().cycle() {
        match get(replica, "/quote") {
            Ok(quote) => {
                let message = if read == 0 { "first quote read" } else { "quote read" };
                read += 1;
                say("info", message, replica, quote.lines().next().unwrap_or_default(), read);
            }
            Err(error) => say("warn", "replica does not answer", replica, &error.to_string(), read),
        }
        thread::sleep(pause);
    }
    Err("there is no API to read".into())
}

fn say(level: &str, message: &str, replica: &str, detail: &str, read: u64) {
    let detail: String = detail.chars().flat_map(escape).collect();
    println!(r#"{{"level":"{level}","msg":"{message}","replica":"{replica}","detail":"{detail}","read":{read}}}"#);
}

/// One character of a JSON string.
fn escape(c: char) -> Vec<char> {
    match c {
        '"' => vec!['\\', '"'],
        '\\' => vec!['\\', '\\'],
        c if c.is_control() => format!("\\u{:04x}", c as u32).chars().collect(),
        c => vec![c],
    }
}
