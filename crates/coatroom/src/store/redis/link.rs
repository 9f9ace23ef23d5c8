//! The way to the server, or to all servers of a Cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redis::{Cmd, Pipeline, ServerError, Value};

use super::cluster::Cluster;
use super::error::{Task, Trouble};
use super::line::Line;
use super::script;
use crate::error::StoreError;
use crate::store::network::Effect;

/// Commands that leave in one go at most.
const AT_ONCE: usize = 1_024;

#[derive(Debug)]
pub(super) enum Link {
    One(Arc<Lines>),
    Cluster(Cluster),
}

/// A command, and the slot of its keys.
#[derive(Clone)]
pub(super) struct Command {
    pub(super) slot: u16,
    pub(super) cmd: Cmd,
}

/// The lines to one server, used in turn.
#[derive(Debug)]
pub(super) struct Lines {
    lines: Box<[Arc<Line>]>,
    next: AtomicUsize,
}

impl Lines {
    pub(super) fn new(lines: Vec<Arc<Line>>) -> Arc<Self> {
        Arc::new(Self { lines: lines.into(), next: AtomicUsize::new(0) })
    }

    pub(super) fn all(&self) -> &[Arc<Line>] {
        &self.lines
    }

    pub(super) fn any(&self) -> &Line {
        match &*self.lines {
            [line] => line,
            lines => &lines[self.next.fetch_add(1, Ordering::Relaxed) % lines.len()],
        }
    }

    pub(super) fn close(&self) {
        self.lines.iter().for_each(|line| line.close());
    }
}

impl Link {
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// Sends a command and waits for the answer. What reads is asked again once where a connection
    /// broke; what writes never is.
    pub(super) async fn ask(&self, task: Task, command: &Command) -> Result<Value, StoreError> {
        match self {
            Self::One(lines) => ask_one(lines, task, &command.cmd).await,
            // Boxed, so that a call on one server carries no room for it.
            Self::Cluster(cluster) => Box::pin(cluster.ask(task, command)).await,
        }
        .map_err(|trouble| trouble.into_error(task))
    }

    /// Sends many commands at once; their answers, in the same order.
    pub(super) async fn ask_all(
        &self,
        task: Task,
        mut commands: Vec<Command>,
    ) -> Result<Vec<Value>, StoreError> {
        let mut answers = Vec::with_capacity(commands.len());
        while !commands.is_empty() {
            let rest = commands.split_off(commands.len().min(AT_ONCE));
            let some = match self {
                Self::One(lines) => ask_all_of_one(lines, task, commands).await,
                Self::Cluster(cluster) => cluster.ask_all(task, &commands).await,
            };
            answers.extend(some.map_err(|trouble| trouble.into_error(task))?);
            commands = rest;
        }
        Ok(answers)
    }

    /// Sends a command without keys to each server; its address and answer, nothing where it refuses.
    pub(super) async fn ask_every_server(
        &self,
        task: Task,
        command: &Cmd,
    ) -> Result<Vec<(String, Value)>, StoreError> {
        let mut answers = Vec::new();
        for lines in self.servers() {
            let line = lines.any();
            let answer = match line.ask(command).await {
                Err(Trouble::Refused(_)) => Value::Nil,
                answer => answer.map_err(|trouble| trouble.into_error(task))?,
            };
            answers.push((line.address().to_string(), answer));
        }
        Ok(answers)
    }

    fn servers(&self) -> Vec<Arc<Lines>> {
        match self {
            Self::One(lines) => vec![Arc::clone(lines)],
            Self::Cluster(cluster) => cluster.servers(),
        }
    }

    /// Sends commands without keys to each server.
    pub(super) async fn tell_every_server(&self, task: Task, commands: Vec<Cmd>) -> Result<(), StoreError> {
        let servers = self.servers();
        let pipeline = pipeline_of(commands);
        let told = servers.iter().map(|lines| lines.any().ask_all(&pipeline));
        for answers in futures_util::future::join_all(told).await {
            let refused = answers.map(|answers| answers.into_iter().find_map(refusal));
            if let Some(error) = refused.map_err(|trouble| trouble.into_error(task))? {
                return Err(Trouble::Refused(error).into_error(task));
            }
        }
        Ok(())
    }

    /// Ends all connections for good.
    pub(super) fn close(&self) {
        self.servers().iter().for_each(|lines| lines.close());
    }
}

async fn ask_one(lines: &Lines, task: Task, command: &Cmd) -> Result<Value, Trouble> {
    let mut again = task.effect == Effect::Reads;
    loop {
        match lines.any().ask(command).await {
            Err(Trouble::Lost(_)) if again => again = false,
            Err(trouble) if is_unknown_script(&trouble) => {
                let whole = script::with_text(command).ok_or(trouble)?;
                // Boxed, for it is rare: the future that is made for each call carries no room for it.
                return Box::pin(ask_one(lines, task, &whole)).await;
            }
            answer => return answer,
        }
    }
}

async fn ask_all_of_one(lines: &Lines, task: Task, commands: Vec<Command>) -> Result<Vec<Value>, Trouble> {
    let pipeline = pipeline_of(commands.into_iter().map(|command| command.cmd));
    let mut answers = match lines.any().ask_all(&pipeline).await {
        Err(Trouble::Lost(_)) if task.effect == Effect::Reads => lines.any().ask_all(&pipeline).await?,
        answers => answers?,
    };
    for (answer, command) in answers.iter_mut().zip(pipeline.cmd_iter()) {
        let Value::ServerError(error) = answer else { continue };
        let trouble = Trouble::Refused(error.clone());
        if !is_unknown_script(&trouble) {
            return Err(trouble);
        }
        *answer = ask_one(lines, task, command).await?;
    }
    Ok(answers)
}

pub(super) fn is_unknown_script(trouble: &Trouble) -> bool {
    trouble.code() == Some("NOSCRIPT")
}

pub(super) fn pipeline_of(commands: impl IntoIterator<Item = Cmd>) -> Pipeline {
    let mut pipeline = Pipeline::new();
    for command in commands {
        pipeline.add_command(command);
    }
    pipeline
}

pub(super) fn refusal(answer: Value) -> Option<ServerError> {
    match answer {
        Value::ServerError(error) => Some(error),
        _ => None,
    }
}
