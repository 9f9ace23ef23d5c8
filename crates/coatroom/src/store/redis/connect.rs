//! Opening a store: whether the server is there, is a suitable one, and lets this user do the work.

mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;

use redis::{Cmd, Value};

use super::cluster::{Cluster, Range, read_slots, slots_command};
use super::dial::{Address, Dialer};
use super::error::Trouble;
use super::keys::Keys;
use super::line::Line;
use super::link::{Lines, Link, pipeline_of};
use super::options::Options;
use super::script;
use super::url::{Place, RedisUrl};
use crate::store::network::{ConnectError, Driver, trusting};

/// The oldest version with all that the scripts need.
const OLDEST: (u32, u32) = (6, 2);

/// Opens the way to the servers of `url`.
pub(super) async fn link(url: &RedisUrl, options: &Options, driver: &Driver) -> Result<Link, ConnectError> {
    let opening = Opening { url, server: server_of(url) };
    let tls = url.tls.then(|| trusting(options.authorities.as_deref())).transpose();
    let dialer = Arc::new(Dialer::new(
        url,
        options,
        tls.map_err(|error| opening.untrusting(options.authorities.as_deref(), error))?,
    ));
    let keys = Keys::new(&options.prefix);
    match &url.place {
        Place::One(host) => opening.one(&dialer, Address::Host(host.clone()), options, driver, &keys).await,
        Place::Socket(path) => {
            opening.one(&dialer, Address::Socket(path.clone()), options, driver, &keys).await
        }
        Place::Cluster(hosts) => {
            let seeds = hosts.iter().map(|host| Address::Host(host.clone())).collect();
            opening.cluster(&dialer, seeds, options, driver, &keys).await
        }
    }
}

/// Where a store is, for messages: hosts and ports alone.
pub(super) fn server_of(url: &RedisUrl) -> String {
    match &url.place {
        Place::One(host) => host.to_string(),
        Place::Socket(path) => path.display().to_string(),
        Place::Cluster(hosts) => hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    }
}

struct Opening<'a> {
    url: &'a RedisUrl,
    server: String,
}

impl Opening<'_> {
    async fn one(
        &self,
        dialer: &Arc<Dialer>,
        address: Address,
        options: &Options,
        driver: &Driver,
        keys: &Keys,
    ) -> Result<Link, ConnectError> {
        // Looked at before the database is chosen, which a node of a Cluster refuses too.
        let greeting = self.greet(dialer, &address).await?;
        if greeting.get("mode").is_some_and(|mode| mode == "cluster") {
            return Err(self.unsuitable("it is a node of a Cluster; write redis+cluster:// in the URL"));
        }
        self.check(&greeting)?;
        let first =
            Line::open(dialer, address.clone(), driver).await.map_err(|error| self.undialed(error))?;
        self.probe(&first, keys).await?;
        let more = (1..options.connections).map(|_| Line::start(dialer, address.clone(), driver));
        Ok(Link::One(Lines::new(std::iter::once(first).chain(more).collect())))
    }

    async fn cluster(
        &self,
        dialer: &Arc<Dialer>,
        seeds: Vec<Address>,
        options: &Options,
        driver: &Driver,
        keys: &Keys,
    ) -> Result<Link, ConnectError> {
        let mut missing = None;
        for seed in &seeds {
            let greeting = match self.greet(dialer, seed).await {
                Ok(greeting) => greeting,
                // Any of them will do.
                Err(error @ ConnectError::Unreachable { .. }) => {
                    missing = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            if greeting.get("mode").is_none_or(|mode| mode != "cluster") {
                return Err(self.unsuitable(
                    "it is no node of a Cluster; write redis:// in the URL, or turn on cluster-enabled",
                ));
            }
            // A replica knows the slots as well as any.
            self.check_version(&greeting)?;
            let ranges = self.slots(dialer, seed, driver).await?;
            let cluster = Cluster::new(dialer, driver, seeds.clone(), options.connections, &ranges);
            for lines in cluster.servers() {
                self.probe_node(lines.any(), keys).await?;
            }
            return Ok(Link::Cluster(cluster));
        }
        Err(missing.unwrap_or_else(|| self.unsuitable("the URL names no node")))
    }

    /// Which node of a Cluster has which slots.
    async fn slots(
        &self,
        dialer: &Arc<Dialer>,
        seed: &Address,
        driver: &Driver,
    ) -> Result<Vec<Range>, ConnectError> {
        let line = Line::open(dialer, seed.clone(), driver).await.map_err(|error| self.undialed(error))?;
        let answer = line.ask(&slots_command()).await;
        let answer = answer.map_err(|trouble| self.refused(trouble, "CLUSTER SLOTS"))?;
        let ranges = read_slots(&answer, line.address()).filter(|ranges| !ranges.is_empty());
        ranges.ok_or_else(|| {
            self.unsuitable("the Cluster has no slots; give it some with redis-cli --cluster create")
        })
    }

    /// Connects and asks who is there.
    async fn greet(
        &self,
        dialer: &Dialer,
        address: &Address,
    ) -> Result<BTreeMap<String, String>, ConnectError> {
        let dialed = dialer.without_database().dial(address).await;
        let mut dialed = dialed.map_err(|error| self.undialed(error))?;
        match dialed.ask(&redis::cmd("HELLO")).await {
            Ok(answer) => Ok(read_greeting(answer)),
            // Before version 6 there was none.
            Err(trouble) if trouble.code() == Some("ERR") => Err(self.too_old("an unknown version")),
            Err(trouble) => Err(self.refused(trouble, "HELLO")),
        }
    }

    fn check(&self, greeting: &BTreeMap<String, String>) -> Result<(), ConnectError> {
        match greeting.get("mode").map(String::as_str) {
            Some("sentinel") => {
                return Err(
                    self.unsuitable("it is a Sentinel, which keeps no data; name the server it watches")
                );
            }
            _ if greeting.get("role").is_some_and(|role| role != "master") => {
                return Err(
                    self.unsuitable("it is a replica, and takes no writes; name its primary, or promote it")
                );
            }
            _ => {}
        }
        self.check_version(greeting)
    }

    fn check_version(&self, greeting: &BTreeMap<String, String>) -> Result<(), ConnectError> {
        let version = greeting.get("version").map_or("an unknown version", String::as_str);
        let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
        match (numbers.next(), numbers.next()) {
            (Some(major), minor) if (major, minor.unwrap_or(0)) >= OLDEST => Ok(()),
            _ => Err(self.too_old(version)),
        }
    }

    /// Lets the server do once what a store will ask of it, and leaves the scripts there.
    async fn probe(&self, line: &Line, keys: &Keys) -> Result<(), ConnectError> {
        self.probe_node(line, keys).await?;
        let nobodys = keys.nobodys();
        let [plain, sorted] = [&nobodys[0], &nobodys[1]];
        let eval = script::with_text(&script::PROBE.call(&[plain, sorted], &[])).unwrap_or_default();
        let missing = line.ask(&eval).await.map_err(|trouble| self.refused(trouble, "EVAL"))?;
        let Value::Array(missing) = missing else { return Err(self.unsuitable(NOT_REDIS)) };
        let missing: Vec<_> = missing
            .into_iter()
            .filter_map(|name| match name {
                Value::BulkString(name) => String::from_utf8(name).ok(),
                _ => None,
            })
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(self.denied(&missing.join(", "))) }
    }

    async fn probe_node(&self, line: &Line, keys: &Keys) -> Result<(), ConnectError> {
        let mut pipeline: Vec<Cmd> = script::all().into_iter().map(script::Script::deposit).collect();
        let deposits = pipeline.len();
        let [plain, sorted] = keys.nobodys();
        pipeline.push(command("GET", &[&plain]));
        for name in ["SMEMBERS", "ZCARD", "ZCOUNT", "ZRANGE", "ZREM"] {
            let arguments: &[&[u8]] = match name {
                "SMEMBERS" | "ZCARD" => &[&sorted],
                "ZREM" => &[&sorted, b"0"],
                _ => &[&sorted, b"0", b"0"],
            };
            pipeline.push(command(name, arguments));
        }
        let answers = line.ask_all(&pipeline_of(pipeline)).await;
        let answers = answers.map_err(|trouble| self.refused(trouble, "SCRIPT LOAD"))?;
        let names = std::iter::repeat_n("SCRIPT LOAD", deposits)
            .chain(["GET", "SMEMBERS", "ZCARD", "ZCOUNT", "ZRANGE", "ZREM"]);
        for (answer, name) in answers.into_iter().zip(names) {
            match answer {
                // The key is another node's.
                Value::ServerError(error) if matches!(error.code(), "MOVED" | "ASK") => {}
                Value::ServerError(error) => return Err(self.refused(Trouble::Refused(error), name)),
                _ => {}
            }
        }
        Ok(())
    }
}

const NOT_REDIS: &str = "its answers are not what Redis gives; check host and port";

fn command(name: &str, arguments: &[&[u8]]) -> Cmd {
    let mut command = redis::cmd(name);
    for argument in arguments {
        command.arg(*argument);
    }
    command
}

/// Names and values in turn.
fn read_greeting(answer: Value) -> BTreeMap<String, String> {
    let Value::Array(answer) = answer else { return BTreeMap::new() };
    let text = |value: &Value| match value {
        Value::BulkString(text) => String::from_utf8_lossy(text).into_owned(),
        Value::SimpleString(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        _ => String::new(),
    };
    answer.chunks_exact(2).map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}
