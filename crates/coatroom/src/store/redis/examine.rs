//! What an operator should know of the servers that keep sessions.

use std::collections::BTreeMap;
use std::sync::Arc;

use redis::Value;

use super::RedisStore;
use super::error::{Task, bytes, odd};
use crate::store::{Examination, StoreFuture};

const EXAMINE: Task = Task::reads("examining the Redis server");

impl RedisStore {
    /// What an operator should know of the store: version, size, and settings that endanger sessions,
    /// of every primary. What the user may not ask is left out.
    ///
    /// # Errors
    ///
    /// When a server cannot be asked.
    pub fn examine(&self) -> StoreFuture<Examination> {
        let inner = Arc::clone(&self.0);
        self.0.network.call(EXAMINE.what, EXAMINE.effect, async move {
            let mut config = redis::cmd("CONFIG");
            config.arg("GET").arg("appendfsync");
            let infos = inner.link.ask_every_server(EXAMINE, &redis::cmd("INFO")).await?;
            let syncs = inner.link.ask_every_server(EXAMINE, &config).await?;
            let mut servers = Vec::new();
            for ((address, info), (_, sync)) in infos.into_iter().zip(syncs) {
                let info = bytes(EXAMINE, info)?.and_then(|info| String::from_utf8(info).ok());
                let info = info.ok_or_else(|| odd(EXAMINE))?;
                servers.push(Server { address, info: read_info(&info), appendfsync: last_text(sync) });
            }
            Ok(examined(&servers, inner.link.is_cluster()))
        })
    }
}

/// One server, by its own word.
struct Server {
    address: String,
    info: BTreeMap<String, String>,
    appendfsync: Option<String>,
}

fn read_info(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

/// The value in the answer to CONFIG GET; `None` where the user may not ask.
fn last_text(answer: Value) -> Option<String> {
    let text = |value| match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    };
    match answer {
        Value::Array(values) => values.into_iter().next_back().and_then(text),
        Value::Map(pairs) => pairs.into_iter().next_back().and_then(|(_, value)| text(value)),
        _ => None,
    }
}

impl Server {
    fn text(&self, name: &str) -> &str {
        self.info.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or(0)
    }

    fn version(&self) -> String {
        match self.info.get("valkey_version") {
            Some(version) => format!("Valkey {version}"),
            None => format!("Redis {}", self.text("redis_version")),
        }
    }

    fn persistence(&self) -> String {
        match (self.text("aof_enabled"), &self.appendfsync) {
            ("1", Some(sync)) => format!("append-only file, appendfsync {sync}"),
            ("1", None) => "append-only file".to_owned(),
            _ => "snapshots at most".to_owned(),
        }
    }

    fn memory(&self) -> String {
        match self.number("maxmemory") {
            0 => "no maxmemory".to_owned(),
            limit => format!("maxmemory {limit} bytes"),
        }
    }

    /// What endangers sessions there.
    fn dangers(&self, is_cluster: bool) -> Vec<String> {
        let mut dangers = Vec::new();
        let (policy, limit) = (self.text("maxmemory_policy"), self.number("maxmemory"));
        if policy != "noeviction" {
            dangers.push(format!(
                "maxmemory-policy is {policy}: the server drops sessions, and the indexes they are found by, without a word when it is full; set it to noeviction"
            ));
        }
        if self.number("evicted_keys") > 0 {
            dangers.push(format!(
                "{} keys were evicted since the server started: sessions were lost; raise maxmemory",
                self.number("evicted_keys")
            ));
        }
        if limit > 0 && self.number("used_memory") > limit / 10 * 9 {
            dangers.push(format!(
                "more than nine tenths of maxmemory ({limit} bytes) are used: commits will fail; raise it"
            ));
        }
        if self.text("aof_enabled") != "1" {
            dangers.push(
                "appendonly is no: a restart of the server costs everything since its last snapshot; set appendonly yes and appendfsync everysec or always".to_owned(),
            );
        } else if self.appendfsync.as_deref() == Some("no") {
            dangers.push(
                "appendfsync is no: a crash of the machine costs some 30 seconds; set it to everysec or always".to_owned(),
            );
        }
        for name in ["aof_last_write_status", "rdb_last_bgsave_status"] {
            if !matches!(self.text(name), "ok" | "") {
                dangers.push(format!(
                    "{name} is {}: the server cannot save its data; make room on its disk",
                    self.text(name)
                ));
            }
        }
        if is_cluster && self.number("connected_slaves") == 0 {
            dangers.push(
                "this primary has no replica: its sessions are away while it is down; add one".to_owned(),
            );
        }
        dangers
    }
}

fn examined(servers: &[Server], is_cluster: bool) -> Examination {
    let version = servers.first().map(Server::version).unwrap_or_default();
    let kind =
        if is_cluster { format!("{version}, Cluster of {} primaries", servers.len()) } else { version };
    let mut found = Examination::of(kind);
    found.bytes = Some(servers.iter().map(|server| server.number("used_memory")).sum());
    for server in servers {
        let replicas = server.number("connected_slaves");
        found = found.fact(
            &server.address,
            format!("{}, {}, {replicas} replicas", server.persistence(), server.memory()),
        );
        for danger in server.dangers(is_cluster) {
            found = found.endangered(format!("{}: {danger}", server.address));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(lines: &str, appendfsync: Option<&str>) -> Server {
        Server {
            address: "sessions.internal:6379".to_owned(),
            info: read_info(lines),
            appendfsync: appendfsync.map(str::to_owned),
        }
    }

    const SOUND: &str = "# Server\r\nredis_version:7.0.15\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\naof_last_write_status:ok\r\nrdb_last_bgsave_status:ok\r\nused_memory:1000\r\nconnected_slaves:1\r\n";

    #[test]
    fn a_server_that_keeps_everything_is_sound() {
        let found = examined(&[server(SOUND, Some("always"))], false);
        assert_eq!((found.server.as_str(), found.bytes), ("Redis 7.0.15", Some(1000)));
        assert!(found.dangers.is_empty(), "{:?}", found.dangers);
    }

    #[test]
    fn each_setting_that_can_cost_sessions_is_named() {
        for (sound, bad, name) in [
            ("noeviction", "allkeys-lru", "maxmemory-policy is allkeys-lru"),
            ("aof_enabled:1", "aof_enabled:0", "appendonly is no"),
            ("aof_last_write_status:ok", "aof_last_write_status:err", "aof_last_write_status is err"),
            ("maxmemory:0", "maxmemory:1100", "nine tenths of maxmemory"),
            ("connected_slaves:1", "connected_slaves:0\r\nevicted_keys:7", "7 keys were evicted"),
        ] {
            let found = examined(&[server(&SOUND.replace(sound, bad), Some("always"))], false);
            assert_eq!(found.dangers.len(), 1, "{name}: {:?}", found.dangers);
            assert!(found.dangers[0].contains(name), "{:?}", found.dangers);
        }
        assert_eq!(examined(&[server(SOUND, Some("no"))], false).dangers.len(), 1);
        let alone = SOUND.replace("connected_slaves:1", "connected_slaves:0");
        assert!(examined(&[server(&alone, None)], true).dangers[0].contains("no replica"));
    }
}
