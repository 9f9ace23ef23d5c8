//! A small HTTP client with one cookie, as curl with a cookie jar.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// A visitor.
#[derive(Clone)]
pub(crate) struct Client {
    address: String,
    /// `name=value`, as the server set it.
    pub(crate) cookie: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), cookie: None }
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    /// GET /session
    pub(crate) fn session(&mut self) -> Value {
        self.get("/session").json()
    }

    pub(crate) fn post(&mut self, path: &str) -> Answer {
        self.send("POST", path, &[], "")
    }

    pub(crate) fn form(&mut self, path: &str, fields: &str) -> Answer {
        self.send("POST", path, &[FORM], fields)
    }

    pub(crate) fn login(&mut self, user: &str, password: &str) -> Answer {
        self.form("/login", &format!("user={user}&password={password}"))
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Answer {
        let answer = self.try_send(method, path, headers, body).unwrap();
        if let Some(cookie) = answer.header("set-cookie") {
            let (pair, attributes) = cookie.split_once(';').unwrap();
            self.cookie = (!attributes.contains("Max-Age=0")).then(|| pair.to_owned());
        }
        answer
    }

    /// The same without touching the cookie; an error where the server hangs up.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> std::io::Result<Answer> {
        let (host, length) = (&self.address, body.as_ref().len());
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n"
        );
        let own = self.cookie.iter().map(|cookie| ("cookie", cookie.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(&[request.as_bytes(), b"\r\n", body.as_ref()].concat())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Answer::parse(&answer).ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
    }
}

impl Answer {
    fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Some(Self { status, headers, body: body.to_owned() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The status and where it leads, for redirects.
    pub(crate) fn leads(&self) -> (u16, Option<&str>) {
        (self.status, self.header("location"))
    }
}

pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
pub(crate) const AS_JSON: (&str, &str) = ("accept", "application/json");
pub(crate) const AS_PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
