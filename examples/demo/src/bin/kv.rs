//! A key-value store over TCP, in memory.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use orco_demo::{Result, argument};

type Table = Arc<Mutex<BTreeMap<String, String>>>;

fn main() -> Result<()> {
    let listen = argument("listen")?;
    let listener = TcpListener::bind(&listen).map_err(|e| format!("cannot listen on {listen}: {e}"))?;
    println!("listening on {listen}");
    let table = Table::default();
    for stream in listener.incoming() {
        let table = Arc::clone(&table);
        let stream = stream?;
        thread::spawn(move || drop(converse(&stream, &table)));
    }
    Ok(())
}

fn converse(stream: &TcpStream, table: &Table) -> std::io::Result<()> {
    let mut writer = stream;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        let answer = match answer(&line, table) {
            Ok(value) => format!("OK {value}\n"),
            Err(why) => format!("ERR {why}\n"),
        };
        writer.write_all(answer.as_bytes())?;
    }
    Ok(())
}

fn answer(line: &str, table: &Table) -> std::result::Result<String, &'static str> {
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    match command {
        "GET" => table.get(rest).cloned().ok_or("no such key"),
        "SET" => {
            let (key, value) = rest.split_once(' ').ok_or("SET needs a key and a value")?;
            table.insert(key.to_owned(), value.to_owned());
            Ok(String::new())
        }
        "ADD" => {
            let count = table.get(rest).and_then(|v| v.parse::<u64>().ok()).unwrap_or(0) + 1;
            table.insert(rest.to_owned(), count.to_string());
            Ok(count.to_string())
        }
        "COUNT" => Ok(table.keys().filter(|key| key.starts_with(rest)).count().to_string()),
        _ => Err("commands: GET key | SET key value | ADD key | COUNT prefix"),
    }
}
