//! The client of the key-value store. Its protocol is one line there, one line back.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use crate::Result;

/// A connection to the store.
#[derive(Debug)]
pub struct Store {
    stream: BufReader<TcpStream>,
}

impl Store {
    /// Connects, once: whoever starts us has made sure that the store is there.
    ///
    /// # Errors
    /// When it is not.
    pub fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).map_err(|e| format!("no store at {address}: {e}"))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends one command (`GET key`, `SET key text`, `ADD key`, `COUNT`), returns the answer.
    ///
    /// # Errors
    /// When the connection breaks, or the store refuses.
    pub fn ask(&mut self, command: &str) -> Result<String> {
        writeln!(self.stream.get_mut(), "{command}")?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.trim_end().split_once(' ') {
            Some(("OK", value)) => Ok(value.to_owned()),
            Some((_, why)) => Err(why.to_owned().into()),
            None if line.trim_end() == "OK" => Ok(String::new()),
            None => Err("the store hung up".into()),
        }
    }
}
