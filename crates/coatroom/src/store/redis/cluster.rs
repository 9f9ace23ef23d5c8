//! The servers of a Cluster, and who of them has which slots.

mod map;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::RwLock;
use redis::{Cmd, RedisError, Value};
use tokio::sync::Mutex;
use tokio::time::Instant;

use self::map::Map;
pub(super) use self::map::{Range, read_slots};
use super::dial::{Address, Dialer};
use super::error::{Task, Trouble};
use super::line::Line;
use super::link::{Command, Lines, is_unknown_script, pipeline_of};
use super::script;
use super::url::Host;
use crate::store::network::{Driver, Effect};

/// The shortest time between two looks at who has which slots.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// How long a server is waited for that is asked who has which slots.
const LOOK: Duration = Duration::from_millis(500);
/// The pause before a command is sent again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Sends each command to the primary that has its slot, and finds the new one where it moved.
///
/// What a server refused was not done, so it is sent again, reads and writes alike, until three
/// quarters of a call's time are over: enough for a slot that moved, and for a replica that takes over
/// quickly. What was sent and not answered is sent again only where it reads.
pub(super) struct Cluster {
    dialer: Arc<Dialer>,
    driver: Driver,
    seeds: Vec<Address>,
    connections: usize,
    map: RwLock<Arc<Map>>,
    /// When somebody last looked who has which slots. Whoever looks holds it.
    looking: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("seeds", &self.seeds).finish_non_exhaustive()
    }
}

impl Cluster {
    /// With the slots that `from`, one of its servers, told.
    pub(super) fn new(
        dialer: &Arc<Dialer>,
        driver: &Driver,
        seeds: Vec<Address>,
        connections: usize,
        ranges: &[Range],
    ) -> Self {
        let cluster = Self {
            dialer: Arc::clone(dialer),
            driver: driver.clone(),
            seeds,
            connections,
            map: RwLock::default(),
            looking: Mutex::new(None),
        };
        cluster.take(ranges);
        cluster
    }

    /// The lines to all primaries.
    pub(super) fn servers(&self) -> Vec<Arc<Lines>> {
        self.map.read().servers().cloned().collect()
    }

    pub(super) async fn ask(&self, task: Task, Command { slot, cmd }: &Command) -> Result<Value, Trouble> {
        let mut cmd = Cow::Borrowed(cmd);
        let give_up = Instant::now() + self.dialer.patience();
        let mut pause = FIRST_PAUSE;
        loop {
            let map = self.map();
            let mut answer = match map.server(*slot) {
                Some(lines) => lines.any().ask(&cmd).await,
                None => Err(nobody_has_it()),
            };
            if let Err(trouble) = &answer
                && trouble.code() == Some("ASK")
            {
                answer = self.ask_elsewhere(trouble, &cmd).await;
            }
            let trouble = match answer {
                Ok(value) => return Ok(value),
                Err(trouble) => trouble,
            };
            if is_unknown_script(&trouble) {
                cmd = Cow::Owned(script::with_text(&cmd).ok_or(trouble)?);
                continue;
            }
            if !may_be_sent_again(&trouble, task.effect) || Instant::now() + pause >= give_up {
                return Err(trouble);
            }
            if trouble.code() != Some("MOVED") {
                tokio::time::sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
            }
            self.look(&map).await;
        }
    }

    /// One pipeline for each server; what it refuses goes the way of a single command.
    pub(super) async fn ask_all(&self, task: Task, commands: &[Command]) -> Result<Vec<Value>, Trouble> {
        let map = self.map();
        let mut of_server: Vec<Vec<usize>> = vec![Vec::new(); map.servers().len()];
        let mut answers: Vec<Option<Value>> = vec![None; commands.len()];
        for (index, command) in commands.iter().enumerate() {
            if let Some(server) = map.index(command.slot) {
                of_server[server].push(index);
            }
        }
        let asked = of_server.iter().zip(map.servers()).filter(|(indexes, _)| !indexes.is_empty());
        let asked = asked.map(|(indexes, lines)| async move {
            let pipeline = pipeline_of(indexes.iter().map(|index| commands[*index].cmd.clone()));
            (indexes, lines.any().ask_all(&pipeline).await)
        });
        for (indexes, some) in join_all(asked).await {
            match some {
                Ok(some) => indexes.iter().zip(some).for_each(|(index, answer)| {
                    answers[*index] = Some(answer).filter(|answer| !matches!(answer, Value::ServerError(_)));
                }),
                Err(trouble) if may_be_sent_again(&trouble, task.effect) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        let rest = answers.iter().zip(commands).filter(|(answer, _)| answer.is_none());
        let rest = join_all(rest.map(|(_, command)| self.ask(task, command))).await;
        let mut rest = rest.into_iter();
        answers
            .into_iter()
            .map(|answer| answer.map_or_else(|| rest.next().unwrap_or(Ok(Value::Nil)), Ok))
            .collect()
    }

    fn map(&self) -> Arc<Map> {
        Arc::clone(&self.map.read())
    }

    /// A slot that is being moved: its new server has this key, and takes the command if it is told so
    /// right before.
    async fn ask_elsewhere(&self, trouble: &Trouble, command: &Cmd) -> Result<Value, Trouble> {
        let Some(address) = redirection(trouble) else { return Err(trouble.clone()) };
        let map = self.map();
        let line = match map.servers().find(|lines| lines.all()[0].address() == &address) {
            Some(lines) => Arc::clone(&lines.all()[0]),
            None => Line::start(&self.dialer, address, &self.driver),
        };
        let pipeline = pipeline_of([redis::cmd("ASKING"), command.clone()]);
        match line.ask_all(&pipeline).await?.pop() {
            Some(Value::ServerError(error)) => Err(Trouble::Refused(error)),
            answer => Ok(answer.unwrap_or(Value::Nil)),
        }
    }

    /// Looks who has which slots, unless somebody did since `seen`.
    async fn look(&self, seen: &Arc<Map>) {
        let mut looked = self.looking.lock().await;
        if !Arc::ptr_eq(seen, &self.map.read()) {
            return;
        }
        if let Some(at) = *looked {
            tokio::time::sleep_until(at + BETWEEN_LOOKS).await;
        }
        *looked = Some(Instant::now());
        if let Some(ranges) = self.ask_around().await {
            self.take(&ranges);
        }
    }

    /// What some server says: any primary with a connection, else any seed.
    async fn ask_around(&self) -> Option<Vec<Range>> {
        let mut servers = self.servers();
        fastrand::shuffle(&mut servers);
        for lines in servers {
            let line = &lines.all()[0];
            if line.is_down() {
                continue;
            }
            let asked = tokio::time::timeout(LOOK, line.ask(&slots_command())).await;
            if let Ok(Ok(answer)) = asked
                && let Some(ranges) = read_slots(&answer, line.address())
            {
                return Some(ranges);
            }
        }
        for seed in &self.seeds {
            if let Ok(Some(ranges)) = tokio::time::timeout(LOOK, self.ask_seed(seed)).await {
                return Some(ranges);
            }
        }
        None
    }

    async fn ask_seed(&self, seed: &Address) -> Option<Vec<Range>> {
        let mut dialed = self.dialer.dial(seed).await.ok()?;
        read_slots(&dialed.ask(&slots_command()).await.ok()?, seed)
    }

    /// Puts a new map in the place of the one before; servers that stay keep their lines.
    fn take(&self, ranges: &[Range]) {
        let mut current = self.map.write();
        let open = |address: &Address| {
            let line = |_| Line::start(&self.dialer, address.clone(), &self.driver);
            Lines::new((0..self.connections).map(line).collect())
        };
        *current = Arc::new(current.renewed(ranges, open));
    }
}

/// Asks who has which slots.
pub(super) fn slots_command() -> Cmd {
    let mut command = redis::cmd("CLUSTER");
    command.arg("SLOTS");
    command
}

/// Whether it was certainly not done, or does no harm twice.
fn may_be_sent_again(trouble: &Trouble, effect: Effect) -> bool {
    match trouble {
        Trouble::Lost(_) => effect == Effect::Reads,
        Trouble::NoConnection(_) => true,
        Trouble::Refused(error) => matches!(
            error.code(),
            "ASK" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN" | "MOVED" | "NOSCRIPT" | "READONLY" | "TRYAGAIN"
        ),
    }
}

fn nobody_has_it() -> Trouble {
    let nobody = std::io::Error::new(std::io::ErrorKind::NotConnected, "no primary has the slot");
    Trouble::NoConnection(nobody.into())
}

/// Where a slot is moving to.
fn redirection(trouble: &Trouble) -> Option<Address> {
    let Trouble::Refused(error) = trouble else { return None };
    let error = RedisError::from(error.clone());
    let (name, port) = error.redirect_node()?.0.rsplit_once(':')?;
    Some(Address::Host(Host { name: name.trim_matches(['[', ']']).to_owned(), port: port.parse().ok()? }))
}
