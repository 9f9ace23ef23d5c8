//! A plain HTTP/1.1 client that keeps its connection and its cookies.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::Result;

/// One visitor: a connection and what cookies it was given.
pub(crate) struct Visitor {
    connection: TcpStream,
    cookies: Vec<(String, String)>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Visitor {
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        let connection = TcpStream::connect(address)?;
        connection.set_nodelay(true)?;
        Ok(Self { connection, cookies: Vec::new() })
    }

    /// Connects as a further window of the same browser: with the cookies of `other`.
    pub(crate) fn beside(other: &Self) -> Result<Self> {
        let mut visitor = Self::connect(other.connection.peer_addr()?)?;
        visitor.cookies.clone_from(&other.cookies);
        Ok(visitor)
    }

    /// Starts over: no cookies, the same connection.
    pub(crate) fn forget(&mut self) {
        self.cookies.clear();
    }

    /// The value of the Cookie header.
    pub(crate) fn cookie(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Asks, and takes the cookies that come with the answer.
    pub(crate) fn get(&mut self, path: &str) -> Result<Answer> {
        self.connection.write_all(&request(path, &self.cookie()))?;
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        let (head, length) = loop {
            if let Some(found) = head_and_length(&bytes) {
                break found;
            }
            match self.connection.read(&mut buffer)? {
                0 => return Err(format!("the server closed the connection at {path}").into()),
                count => bytes.extend_from_slice(&buffer[..count]),
            }
        };
        let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
        let status =
            text.get(9..12).and_then(|code| code.parse().ok()).ok_or("an answer without a status")?;
        for line in text.lines() {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("set-cookie")
            {
                self.take_cookie(value.trim());
            }
        }
        let body = String::from_utf8_lossy(&bytes[head..length]).into_owned();
        Ok(Answer { status, body })
    }

    fn take_cookie(&mut self, header: &str) {
        let pair = header.split(';').next().unwrap_or_default();
        let Some((name, value)) = pair.split_once('=') else { return };
        self.cookies.retain(|(known, _)| known != name);
        let header = header.to_ascii_lowercase();
        if !header.contains("max-age=0") {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// A request as it goes over the wire.
pub(crate) fn request(path: &str, cookie: &str) -> Vec<u8> {
    let cookie = if cookie.is_empty() { String::new() } else { format!("cookie: {cookie}\r\n") };
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{cookie}\r\n").into_bytes()
}

/// The length of the head of an answer and that of the whole, once all of it is there.
pub(crate) fn head_and_length(bytes: &[u8]) -> Option<(usize, usize)> {
    const FIELD: &[u8] = b"content-length: ";
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let field = bytes[..head].windows(FIELD.len()).position(|window| window == FIELD);
    let body = field.map_or(0, |at| {
        let digits = bytes[at + FIELD.len()..head].iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'))
    });
    (bytes.len() >= head + body).then_some((head, head + body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        assert_eq!(head_and_length(answer), Some((38, 40)));
        assert_eq!(head_and_length(&answer[..39]), None);
        assert_eq!(head_and_length(b"HTTP/1.1 204 No Content\r\n\r\n"), Some((27, 27)));
    }
}
