use std::path::PathBuf;
use std::time::Duration;

use super::url::{RedisUrlError, encode, read_duration};

/// How a store uses its server. The same in a URL and in a builder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Options {
    pub(super) prefix: String,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) connections: usize,
    pub(super) max_in_flight: usize,
    pub(super) max_waiting: usize,
    pub(super) authorities: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefix: "coatroom".to_owned(),
            timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(5),
            connections: 1,
            max_in_flight: 1_024,
            max_waiting: 4_096,
            authorities: None,
        }
    }
}

const NAMES: &str = "cacert, connect_timeout, connections, max_in_flight, max_waiting, prefix, timeout";

/// The most calls that may be under way; a semaphore has no more.
pub(super) const MAX_CALLS: usize = 1 << 20;
pub(super) const MAX_CONNECTIONS: usize = 64;

impl Options {
    /// Sets one by its name in a URL.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), RedisUrlError> {
        let duration = || {
            let form = || RedisUrlError(format!("{name} is a time such as 2s or 500ms"));
            read_duration(value).filter(|time| !time.is_zero()).ok_or_else(form)
        };
        let number = |least, most| {
            let form = || RedisUrlError(format!("{name} is a number from {least} to {most}"));
            value.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(form)
        };
        match name {
            "cacert" => self.authorities = Some(value.into()),
            "connect_timeout" => self.connect_timeout = duration()?,
            "connections" => self.connections = number(1, MAX_CONNECTIONS)?,
            "max_in_flight" => self.max_in_flight = number(1, MAX_CALLS)?,
            "max_waiting" => self.max_waiting = number(0, MAX_CALLS)?,
            "prefix" if is_prefix(value) => self.prefix = value.to_owned(),
            "prefix" => {
                return Err(RedisUrlError("the prefix has 1 to 64 characters and no braces".to_owned()));
            }
            "timeout" => self.timeout = duration()?,
            _ => return Err(RedisUrlError(format!("there is no option {name:?}; the options are {NAMES}"))),
        }
        Ok(())
    }

    /// What differs from the default, as a URL has it.
    pub(super) fn written(&self) -> Vec<String> {
        let default = Self::default();
        let time = |name: &str, time: Duration, default: Duration| {
            let text = match time.as_millis() {
                millis if millis % 1_000 == 0 => format!("{}s", millis / 1_000),
                millis => format!("{millis}ms"),
            };
            (time != default).then(|| format!("{name}={text}"))
        };
        let number = |name: &str, number: usize, default: usize| {
            (number != default).then(|| format!("{name}={number}"))
        };
        let written = [
            self.authorities.as_ref().map(|path| format!("cacert={}", encode(&path.to_string_lossy()))),
            time("connect_timeout", self.connect_timeout, default.connect_timeout),
            number("connections", self.connections, default.connections),
            number("max_in_flight", self.max_in_flight, default.max_in_flight),
            number("max_waiting", self.max_waiting, default.max_waiting),
            (self.prefix != default.prefix).then(|| format!("prefix={}", encode(&self.prefix))),
            time("timeout", self.timeout, default.timeout),
        ];
        written.into_iter().flatten().collect()
    }
}

/// Braces would be a hash tag, and put all keys into one slot of a Cluster.
pub(super) fn is_prefix(text: &str) -> bool {
    (1..=64).contains(&text.len()) && !text.contains(['{', '}'])
}
