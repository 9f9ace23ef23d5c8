//! A Redis store by its URL.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::options::Options;

/// Where a [`RedisStore`](super::RedisStore) keeps its records.
///
/// | URL | server |
/// |---|---|
/// | `redis://[user[:password]@]host[:6379][/database]` | one Redis or Valkey |
/// | `redis+cluster://[user:password@]a[:6379],b[:6379],…` | a Cluster, found by any of its nodes |
/// | `rediss://…`, `rediss+cluster://…` | the same under TLS |
/// | `redis+unix:///path/of/socket[?db=database]` | one on this machine |
///
/// User and password are percent-decoded; a password alone stands behind a colon, `:password@`. The
/// address of an IPv6 host stands in brackets.
///
/// | option | what | default |
/// |---|---|---|
/// | `prefix=` | how all keys begin; no braces | `coatroom` |
/// | `timeout=` | how long a call may take, such as `2s` or `500ms` | 2 s |
/// | `connect_timeout=` | how long connecting may take | 5 s |
/// | `connections=` | connections to each server, 1 to 64 | 1 |
/// | `max_in_flight=` | calls under way at once, at least 1 | 1024 |
/// | `max_waiting=` | calls that wait for their turn; more fail at once | 4096 |
/// | `cacert=` | a PEM file of the authorities to trust under TLS | those of the machine |
///
/// `Display` shows the URL with `***` for the password, and `Debug` does so too.
///
/// # Example
///
/// ```
/// use coatroom::store::RedisUrl;
///
/// let url: RedisUrl = "rediss://shop:s3cret@sessions.internal/2?timeout=1s".parse()?;
/// assert_eq!(url.to_string(), "rediss://shop:***@sessions.internal:6379/2?timeout=1s");
/// # Ok::<_, coatroom::store::RedisUrlError>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct RedisUrl {
    pub(super) place: Place,
    pub(super) tls: bool,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: u32,
    pub(super) options: Options,
}

/// Which servers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place {
    One(Host),
    Cluster(Vec<Host>),
    Socket(PathBuf),
}

/// Name or address, and port.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) port: u16,
}

/// A URL names no Redis store.
///
/// Says what is wrong with it and what may stand there, and shows no part that could be a password.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("reading the URL of a Redis store failed: {0}")]
pub struct RedisUrlError(pub(super) String);

const FORMS: &str = "it is redis://[user[:password]@]host[:port][/database], rediss:// for TLS, \
    redis+cluster://host,host,host for a Cluster, or redis+unix:///path";

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(url: &str) -> Result<Self, RedisUrlError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(unknown_form)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        if query.contains('@') {
            return Err(bad_encoding("the user or password"));
        }
        let (tls, kind) = read_scheme(scheme).ok_or_else(unknown_form)?;
        let (options, mut database) = read_query(query, kind)?;
        // A password may hold an @ that nobody encoded.
        let (credentials, rest) = rest.rsplit_once('@').map_or((None, rest), |(who, rest)| (Some(who), rest));
        let (user, password) = credentials.map_or(Ok((None, None)), read_credentials)?;
        let (place, path) = read_place(rest, kind)?;
        if !path.is_empty() {
            database = number_of_database(path)?;
        }
        if database != 0 && matches!(place, Place::Cluster(_)) {
            return Err(RedisUrlError("a Cluster has no database but 0; leave it out".to_owned()));
        }
        Ok(Self { place, tls, user, password, database, options })
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    One,
    Cluster,
    Socket,
}

/// Whether it is TLS, and what is named.
fn read_scheme(scheme: &str) -> Option<(bool, Kind)> {
    match scheme {
        "redis" => Some((false, Kind::One)),
        "rediss" => Some((true, Kind::One)),
        "redis+cluster" => Some((false, Kind::Cluster)),
        "rediss+cluster" => Some((true, Kind::Cluster)),
        "redis+unix" => Some((false, Kind::Socket)),
        _ => None,
    }
}

/// The options, and the database behind a socket.
fn read_query(query: &str, kind: Kind) -> Result<(Options, u32), RedisUrlError> {
    let (mut options, mut database) = (Options::default(), 0);
    for option in query.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = decode(value).ok_or_else(|| bad_encoding("an option"))?;
        match name {
            "db" if kind == Kind::Socket => database = number_of_database(&value)?,
            _ => options.set(name, &value)?,
        }
    }
    Ok((options, database))
}

/// The servers or the socket, and the path behind servers.
fn read_place(text: &str, kind: Kind) -> Result<(Place, &str), RedisUrlError> {
    if kind == Kind::Socket {
        let path = decode(text).filter(|path| path.len() > 1).ok_or_else(unknown_form)?;
        return Ok((Place::Socket(path.into()), ""));
    }
    let (hosts, path) = text.split_once('/').unwrap_or((text, ""));
    let hosts: Option<Vec<_>> = hosts.split(',').map(read_host).collect();
    let mut hosts = hosts.ok_or_else(unknown_form)?;
    match kind {
        Kind::Cluster => Ok((Place::Cluster(hosts), path)),
        _ if hosts.len() == 1 => Ok((Place::One(hosts.remove(0)), path)),
        _ => Err(several_hosts()),
    }
}

fn unknown_form() -> RedisUrlError {
    RedisUrlError(FORMS.to_owned())
}

fn several_hosts() -> RedisUrlError {
    RedisUrlError("several hosts are a Cluster; write redis+cluster:// or rediss+cluster://".to_owned())
}

fn bad_encoding(what: &str) -> RedisUrlError {
    RedisUrlError(format!("{what} is not percent-encoded UTF-8; write % as %25 and ? as %3F"))
}

fn number_of_database(text: &str) -> Result<u32, RedisUrlError> {
    text.parse().map_err(|_| RedisUrlError("the database is a number, such as redis://host/2".to_owned()))
}

fn read_credentials(text: &str) -> Result<(Option<String>, Option<String>), RedisUrlError> {
    let (user, password) = text.split_once(':').map_or((text, None), |(user, word)| (user, Some(word)));
    let decoded = |text: &str, what| decode(text).ok_or_else(|| bad_encoding(what));
    let user = Some(decoded(user, "the user")?).filter(|user| !user.is_empty());
    let password = password.map(|word| decoded(word, "the password")).transpose()?;
    Ok((user, password.filter(|word| !word.is_empty())))
}

fn read_host(text: &str) -> Option<Host> {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => text.find(':').map_or((text, ""), |colon| text.split_at(colon)),
    };
    let port = match port {
        "" => 6379,
        port => port.strip_prefix(':')?.parse().ok()?,
    };
    (!name.is_empty()).then(|| Host { name: name.to_owned(), port })
}

/// `%41` is `A`; `None` where that gives no text.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let [high, low, tail @ ..] = rest else { return None };
        bytes.push((digit(high)? * 16 + digit(low)?) as u8);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

/// The reverse, for what would be read as something else.
pub(super) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes().fold(String::new(), |mut out, byte| {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let kind = match self.place {
            Place::One(_) => "",
            Place::Cluster(_) => "+cluster",
            Place::Socket(_) => "+unix",
        };
        write!(f, "{scheme}{kind}://")?;
        if self.user.is_some() || self.password.is_some() {
            let user = self.user.as_deref().map(encode).unwrap_or_default();
            write!(f, "{user}{}@", if self.password.is_some() { ":***" } else { "" })?;
        }
        let database = (self.database > 0).then_some(self.database);
        let mut options = self.options.written();
        match &self.place {
            Place::One(host) => write!(f, "{host}")?,
            Place::Cluster(hosts) => {
                let hosts: Vec<_> = hosts.iter().map(Host::to_string).collect();
                f.write_str(&hosts.join(","))?;
            }
            Place::Socket(path) => {
                f.write_str(&encode(&path.to_string_lossy()))?;
                if let Some(number) = database {
                    options.insert(0, format!("db={number}"));
                }
            }
        }
        if let Some(number) = database.filter(|_| matches!(self.place, Place::One(_))) {
            write!(f, "/{number}")?;
        }
        if options.is_empty() { Ok(()) } else { write!(f, "?{}", options.join("&")) }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

/// `2s`, `500ms`, `1m`.
pub(super) fn read_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    match &text[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
