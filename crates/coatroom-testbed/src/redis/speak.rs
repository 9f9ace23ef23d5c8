//! As much of the protocol as tests need to ask a server something.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Whether a server answers there; that it wants a password is an answer.
pub(super) fn is_ready(port: u16) -> bool {
    match command(port, None, &["PING"]) {
        Ok(_) => true,
        Err(error) => error.starts_with("NOAUTH"),
    }
}

/// One command on a connection of its own.
pub(super) fn command(port: u16, password: Option<&str>, words: &[&str]) -> Result<String, String> {
    let mut connection = connect(port).map_err(|error| error.to_string())?;
    if let Some(password) = password {
        connection.ask(&["AUTH", password])?;
    }
    connection.ask(words)
}

struct Connection {
    input: BufReader<TcpStream>,
    output: TcpStream,
}

fn connect(port: u16) -> io::Result<Connection> {
    let output = TcpStream::connect(("127.0.0.1", port))?;
    output.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(Connection { input: BufReader::new(output.try_clone()?), output })
}

impl Connection {
    fn ask(&mut self, words: &[&str]) -> Result<String, String> {
        let mut command = format!("*{}\r\n", words.len());
        for word in words {
            command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.output.write_all(command.as_bytes()).map_err(|error| error.to_string())?;
        self.answer()
    }

    fn answer(&mut self) -> Result<String, String> {
        let line = self.line()?;
        let (kind, rest) = line.split_at_checked(1).ok_or("the connection was closed")?;
        let number = || rest.parse::<i64>().map_err(|error| error.to_string());
        match kind {
            "-" => Err(rest.to_owned()),
            "$" => self.text(number()?),
            "*" => {
                let values: Result<Vec<String>, String> = (0..number()?).map(|_| self.answer()).collect();
                Ok(values?.join("\n"))
            }
            _ => Ok(rest.to_owned()),
        }
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.input.read_line(&mut line).map_err(|error| error.to_string())?;
        Ok(line.trim_end().to_owned())
    }

    /// Text of this many bytes; of -1, none.
    fn text(&mut self, length: i64) -> Result<String, String> {
        let Ok(length) = usize::try_from(length) else { return Ok(String::new()) };
        let mut bytes = vec![0; length + 2];
        self.input.read_exact(&mut bytes).map_err(|error| error.to_string())?;
        bytes.truncate(length);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
