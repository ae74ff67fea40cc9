//! A key-value store over TCP. It appends every change to a file, so that a kill -9 loses nothing.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use orco_demo::{Result, argument};

fn main() -> Result<()> {
    let listen = argument("listen")?;
    let store = Arc::new(Mutex::new(Store::open(&argument("file")?)?));
    let listener = TcpListener::bind(&listen).map_err(|e| format!("cannot listen on {listen}: {e}"))?;
    println!("listening on {listen}");
    for stream in listener.incoming() {
        let (stream, store) = (stream?, Arc::clone(&store));
        // A client that breaks off is its own business; where there is no thread to be had, it is turned away.
        let _ = thread::Builder::new().spawn(move || drop(converse(&stream, &store)));
    }
    Ok(())
}

fn converse(stream: &TcpStream, store: &Mutex<Store>) -> std::io::Result<()> {
    let mut writer = stream;
    for line in BufReader::new(stream).lines() {
        let answer = match store.lock().unwrap_or_else(PoisonError::into_inner).answer(&line?) {
            Ok(value) => format!("OK {value}\n"),
            Err(why) => format!("ERR {why}\n"),
        };
        writer.write_all(answer.as_bytes())?;
    }
    Ok(())
}

struct Store {
    table: BTreeMap<String, String>,
    /// One `key value` per line; the last of a key counts.
    file: File,
}

impl Store {
    fn open(path: &str) -> Result<Self> {
        let file = OpenOptions::new().create(true).read(true).append(true).open(path);
        let file = file.map_err(|e| format!("cannot open {path}: {e}"))?;
        let mut table = BTreeMap::new();
        for line in BufReader::new(&file).lines() {
            if let Some((key, value)) = line?.split_once(' ') {
                table.insert(key.to_owned(), value.to_owned());
            }
        }
        Ok(Self { table, file })
    }

    fn answer(&mut self, line: &str) -> Result<String> {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "GET" => Ok(self.table.get(rest).cloned().ok_or("no such key")?),
            "SET" => {
                let (key, value) = rest.split_once(' ').ok_or("SET needs a key and a value")?;
                self.set(key, value.to_owned())
            }
            "ADD" => {
                let count = self.table.get(rest).and_then(|v| v.parse::<u64>().ok()).unwrap_or(0) + 1;
                self.set(rest, count.to_string())
            }
            "COUNT" => Ok(self.table.keys().filter(|key| key.starts_with(rest)).count().to_string()),
            _ => Err("commands: GET key | SET key value | ADD key | COUNT prefix".into()),
        }
    }

    fn set(&mut self, key: &str, value: String) -> Result<String> {
        writeln!(self.file, "{key} {value}")?;
        self.table.insert(key.to_owned(), value.clone());
        Ok(value)
    }
}
