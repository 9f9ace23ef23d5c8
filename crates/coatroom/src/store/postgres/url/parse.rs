use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, TargetSessionAttrs};

use super::{PostgresUrl, PostgresUrlError, Prepared, SslMode};
use crate::store::postgres::statement::Schema;

const OURS: &str =
    "schema, timeout, connect_timeout, pool_size, max_waiting, prepared_statements, sslmode, sslrootcert";

/// libpq's options that go to the driver as they are.
const LIBPQS: [&str; 16] = [
    "application_name",
    "channel_binding",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslnegotiation",
    "target_session_attrs",
    "tcp_user_timeout",
];

impl FromStr for PostgresUrl {
    type Err = PostgresUrlError;

    fn from_str(text: &str) -> Result<Self, PostgresUrlError> {
        let rest = ["postgres://", "postgresql://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let Some(rest) = rest else {
            return wrong("a URL of PostgreSQL begins with postgres:// or postgresql://");
        };
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        let mut url = Self {
            config: Config::new(),
            schema: Schema::default(),
            timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(5),
            pool_size: 16,
            max_waiting: 4_096,
            prepared: Prepared::Auto,
            ssl_mode: SslMode::Prefer,
            root_certificates: None,
            shown: masked(text),
        };
        let mut libpqs = Vec::new();
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            if name == "user" || LIBPQS.contains(&name) {
                libpqs.push((name, option));
            } else if !url.set(name, &decoded(name, value)?)? {
                return unknown(name, options);
            }
        }
        url.finish(place, &libpqs)?;
        Ok(url)
    }
}

impl PostgresUrl {
    /// Whether the option is one of ours.
    fn set(&mut self, name: &str, value: &str) -> Result<bool, PostgresUrlError> {
        match name {
            "schema" => {
                self.schema = Schema::parse(value).ok_or_else(|| {
                    error("schema= is a letter or _, then letters, digits and _, all lower case, at most 63")
                })?;
            }
            "timeout" => self.timeout = duration("timeout", value)?,
            "connect_timeout" => self.connect_timeout = duration("connect_timeout", value)?,
            "pool_size" => self.pool_size = number("pool_size", value, 1, 1_000)?,
            "max_waiting" => self.max_waiting = number("max_waiting", value, 0, 1_000_000)?,
            "prepared_statements" => {
                self.prepared = match value {
                    "auto" => Prepared::Auto,
                    "off" => Prepared::Off,
                    "on" => Prepared::On,
                    _ => return wrong("prepared_statements= is auto, on or off"),
                }
            }
            "sslmode" => {
                self.ssl_mode = match value {
                    "disable" => SslMode::Disable,
                    "prefer" => SslMode::Prefer,
                    "require" => SslMode::Require,
                    "verify-ca" => SslMode::VerifyCa,
                    "verify-full" => SslMode::VerifyFull,
                    _ => return wrong("sslmode= is disable, prefer, require, verify-ca or verify-full"),
                }
            }
            "sslrootcert" => self.root_certificates = (value != "system").then(|| value.into()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Hands the rest to the driver, with the defaults of a store.
    fn finish(&mut self, place: &str, libpqs: &[(&str, &str)]) -> Result<(), PostgresUrlError> {
        let options: Vec<_> = libpqs.iter().map(|(_, option)| *option).collect();
        let url = format!("postgresql://{place}?{}", options.join("&"));
        let mut config = url.parse::<Config>().map_err(|failure| {
            // Of the driver's texts the inner one names the option, and no value.
            let why = failure.into_source().map(|why| why.to_string()).unwrap_or_default();
            error(format!("the URL of PostgreSQL cannot be read: {why}; what is reserved in a URL, as in a password, must be percent-encoded"))
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return wrong(
                "a URL of PostgreSQL names a host: postgres://user@host/database, or host= with the directory of a socket",
            );
        }
        let is_set = |name: &str| libpqs.iter().any(|(set, _)| *set == name);
        if !is_set("application_name") {
            config.application_name("coatroom");
        }
        if !is_set("keepalives_idle") {
            config.keepalives_idle(Duration::from_secs(30));
        }
        if !is_set("keepalives_interval") {
            config.keepalives_interval(Duration::from_secs(10));
        }
        if !is_set("keepalives_retries") {
            config.keepalives_retries(3);
        }
        if !is_set("tcp_user_timeout") {
            config.tcp_user_timeout(Duration::from_secs(10));
        }
        if !is_set("target_session_attrs") && config.get_hosts().len().max(config.get_hostaddrs().len()) > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let is_socket = |host: &Host| matches!(host, Host::Unix(_));
        if config.get_hostaddrs().is_empty() && config.get_hosts().iter().all(is_socket) {
            self.ssl_mode = SslMode::Disable;
        }
        config.ssl_mode(match self.ssl_mode {
            SslMode::Disable => tokio_postgres::config::SslMode::Disable,
            SslMode::Prefer => tokio_postgres::config::SslMode::Prefer,
            _ => tokio_postgres::config::SslMode::Require,
        });
        self.config = config;
        Ok(())
    }
}

/// A name that may be a piece of a password, where somebody forgot to encode a `?`, is not shown.
fn unknown(name: &str, options: &str) -> Result<PostgresUrl, PostgresUrlError> {
    let is_name = name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_') && !options.contains('@');
    let named = if is_name { format!(" {name:?}") } else { String::new() };
    wrong(format!(
        "a URL of PostgreSQL has an unknown option{named}; there are {OURS}, and of libpq's user, {}",
        LIBPQS.join(", ")
    ))
}

fn number(name: &str, value: &str, least: usize, most: usize) -> Result<usize, PostgresUrlError> {
    value
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| error(format!("{name}= is a number from {least} to {most}")))
}

fn duration(name: &str, value: &str) -> Result<Duration, PostgresUrlError> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at(digits);
    let unit = match unit {
        "ms" => Some(1),
        "" | "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let millis = number.parse::<u64>().ok().zip(unit).and_then(|(number, unit)| number.checked_mul(unit));
    millis
        .filter(|millis| (1..=3_600_000).contains(millis))
        .map(Duration::from_millis)
        .ok_or_else(|| error(format!("{name}= is a time from 1ms to 60m, such as 500ms, 2s or 1m")))
}

fn decoded(name: &str, value: &str) -> Result<String, PostgresUrlError> {
    let wrong = || error(format!("{name}= is not percent-encoded text"));
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let (byte, behind) = match (first, behind) {
            (b'%', [high, low, behind @ ..]) => {
                let digit = |c: &u8| char::from(*c).to_digit(16);
                let (high, low) = digit(high).zip(digit(low)).ok_or_else(wrong)?;
                (u8::try_from(16 * high + low).map_err(|_| wrong())?, behind)
            }
            (b'%', _) => return Err(wrong()),
            _ => (*first, behind),
        };
        bytes.push(byte);
        rest = behind;
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// The text without the password, wherever it stands.
fn masked(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let mut shown = format!("{scheme}://");
    match place.rsplit_once('@') {
        Some((user, place)) => {
            let user = user.split_once(':').map_or(user.to_owned(), |(user, _)| format!("{user}:***"));
            shown.push_str(&user);
            shown.push('@');
            shown.push_str(place);
        }
        None => shown.push_str(place),
    }
    for (n, option) in options.split('&').filter(|option| !option.is_empty()).enumerate() {
        shown.push(if n == 0 { '?' } else { '&' });
        shown.push_str(if option.starts_with("password=") { "password=***" } else { option });
    }
    shown
}

fn error(what: impl Into<String>) -> PostgresUrlError {
    PostgresUrlError { what: what.into() }
}

fn wrong<T>(what: impl Into<String>) -> Result<T, PostgresUrlError> {
    Err(error(what))
}
