use std::time::Duration;

use crate::{Redis, RedisOptions, port, wait_until};

/// A Redis Cluster of three primaries.
#[derive(Debug)]
pub struct RedisCluster {
    primaries: Vec<Redis>,
    replicas: Vec<Redis>,
}

/// How many keys' slots there are.
const SLOTS: usize = 16_384;

impl RedisCluster {
    /// Three primaries alone.
    #[must_use]
    pub fn start(options: RedisOptions) -> Self {
        Self::with_timeout(&options, "15000")
    }

    /// Three primaries, and a replica of each that takes over a few seconds after it is gone.
    #[must_use]
    pub fn start_with_replicas(options: RedisOptions) -> Self {
        const TIMEOUT: &str = "2000";
        let mut cluster = Self::with_timeout(&options, TIMEOUT);
        cluster.replicas = members(&options, TIMEOUT);
        for (replica, primary) in cluster.replicas.iter().zip(&cluster.primaries) {
            replica.command(&[
                "CLUSTER",
                "MEET",
                "127.0.0.1",
                &primary.port().to_string(),
                &primary.bus_port(),
            ]);
            let id = primary.command(&["CLUSTER", "MYID"]);
            let knows = || replica.command(&["CLUSTER", "NODES"]).contains(&id);
            wait_until("a replica knows its primary", DEADLINE, knows);
            replica.command(&["CLUSTER", "REPLICATE", &id]);
        }
        for replica in &cluster.replicas {
            replica.wait_for_info("master_link_status", "up");
        }
        cluster.wait_until_all_know(6);
        cluster
    }

    /// `redis+cluster://HOST:PORT,HOST:PORT,HOST:PORT`: the primaries at the start.
    #[must_use]
    pub fn url(&self) -> String {
        let addresses: Vec<String> = self.primaries.iter().map(Redis::address).collect();
        format!("redis+cluster://{}", addresses.join(","))
    }

    /// The primaries at the start.
    #[must_use]
    pub fn primaries(&mut self) -> &mut [Redis] {
        &mut self.primaries
    }

    /// The replicas at the start, each of the primary in its place.
    #[must_use]
    pub fn replicas(&mut self) -> &mut [Redis] {
        &mut self.replicas
    }

    /// Waits until every member that runs finds the cluster able to serve every slot.
    pub fn wait_until_whole(&self) {
        for member in self.running() {
            wait_until("the cluster serves all slots", DEADLINE, || {
                member.try_command(&["CLUSTER", "INFO"]).is_ok_and(|info| info.contains("cluster_state:ok"))
            });
        }
    }

    /// Waits until each replica has what its primary has.
    pub fn wait_until_replicated(&self) {
        for primary in self.primaries.iter().filter(|primary| primary.is_running()) {
            wait_until("a replica has it all", DEADLINE, || {
                let info = primary.command(&["INFO", "replication"]);
                let line = |name: &str| info.lines().find_map(|line| line.trim_end().strip_prefix(name));
                let offset = line("master_repl_offset:").expect("it is a primary");
                line("slave0:").is_some_and(|replica| replica.contains(&format!("offset={offset},")))
            });
        }
    }

    fn with_timeout(options: &RedisOptions, timeout: &str) -> Self {
        let cluster = Self { primaries: members(options, timeout), replicas: Vec::new() };
        cluster.join();
        cluster
    }

    fn join(&self) {
        let share = SLOTS.div_ceil(self.primaries.len());
        for (place, primary) in self.primaries.iter().enumerate() {
            let (first, end) = (place * share, ((place + 1) * share).min(SLOTS));
            primary.command(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &(end - 1).to_string()]);
            primary.command(&["CLUSTER", "SET-CONFIG-EPOCH", &(place + 1).to_string()]);
            let port = self.primaries[0].port().to_string();
            primary.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &self.primaries[0].bus_port()]);
        }
        self.wait_until_all_know(3);
    }

    fn wait_until_all_know(&self, members: usize) {
        let line = format!("cluster_known_nodes:{members}");
        for member in self.running() {
            wait_until(&line, DEADLINE, || member.command(&["CLUSTER", "INFO"]).contains(&line));
        }
        self.wait_until_whole();
    }

    fn running(&self) -> impl Iterator<Item = &Redis> {
        self.primaries.iter().chain(&self.replicas).filter(|member| member.is_running())
    }
}

/// Three servers that know nobody yet. A member is taken for gone after `timeout` milliseconds.
fn members(options: &RedisOptions, timeout: &str) -> Vec<Redis> {
    let member = || {
        // The port of the bus would be 10,000 above, and perhaps taken.
        let bus = port::free().to_string();
        let options = options.clone().set("cluster-enabled", "yes").set("cluster-port", &bus);
        Redis::start(options.set("cluster-node-timeout", timeout))
    };
    (0..3).map(|_| member()).collect()
}

const DEADLINE: Duration = Duration::from_secs(60);
