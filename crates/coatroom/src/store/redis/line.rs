//! One connection to one server, made again whenever it breaks.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, Value};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::dial::{Address, DialError, Dialed, Dialer};
use super::error::Trouble;
use crate::store::network::Driver;

/// The first and the longest pause between two attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A connection that many calls share, and its keeper, a task that mends it.
///
/// While the keeper first tries to connect, calls wait for it. Once an attempt has failed they fail at
/// once, until one succeeds.
#[derive(Debug)]
pub(super) struct Line {
    address: Address,
    state: Mutex<State>,
    /// The state is another.
    changed: Notify,
    alarm: Arc<Alarm>,
    keeper: Mutex<Option<AbortHandle>>,
    /// How long a call waits for a connection, and the keeper for a sign of life.
    patience: Duration,
}

#[derive(Debug)]
enum State {
    Up(Up),
    Mending,
    Down(Trouble),
}

#[derive(Debug)]
struct Up {
    connection: MultiplexedConnection,
    work: AbortHandle,
    number: u64,
}

impl Drop for Up {
    fn drop(&mut self) {
        self.work.abort();
    }
}

/// What wakes the keeper.
#[derive(Debug, Default)]
struct Alarm {
    broken: Notify,
    /// Somebody gave up waiting: perhaps the connection leads nowhere.
    doubtful: Notify,
}

impl Line {
    /// Connects once; the line is kept from then on.
    pub(super) async fn open(
        dialer: &Arc<Dialer>,
        address: Address,
        driver: &Driver,
    ) -> Result<Arc<Self>, DialError> {
        let dialed = dialer.dial(&address).await?;
        let line = Self::new(dialer, address);
        line.put_up(dialed, driver, 0);
        line.keep(dialer, driver);
        Ok(line)
    }

    /// A line whose keeper makes the first connection.
    pub(super) fn start(dialer: &Arc<Dialer>, address: Address, driver: &Driver) -> Arc<Self> {
        let line = Self::new(dialer, address);
        line.keep(dialer, driver);
        line.alarm.broken.notify_one();
        line
    }

    fn new(dialer: &Dialer, address: Address) -> Arc<Self> {
        Arc::new(Self {
            address,
            state: Mutex::new(State::Mending),
            changed: Notify::new(),
            alarm: Arc::default(),
            keeper: Mutex::new(None),
            patience: dialer.patience(),
        })
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a command and waits for the answer, which is never an error of the server's.
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, Trouble> {
        let (mut connection, number) = self.connection().await?;
        let patience = Patience(Some(&self.alarm));
        let answer = connection.send_packed_command(command).await;
        patience.end();
        match answer {
            Ok(Value::ServerError(error)) => Err(Trouble::Refused(error)),
            Ok(value) => Ok(value),
            Err(error) => {
                self.broke(number);
                Err(Trouble::Lost(error))
            }
        }
    }

    /// Sends all commands of a pipeline at once and waits for their answers, each of which may be an
    /// error of the server's.
    pub(super) async fn ask_all(&self, pipeline: &Pipeline) -> Result<Vec<Value>, Trouble> {
        let (mut connection, number) = self.connection().await?;
        let patience = Patience(Some(&self.alarm));
        let answers = connection.send_packed_commands(pipeline, 0, pipeline.len()).await;
        patience.end();
        answers.map_err(|error| {
            self.broke(number);
            Trouble::Lost(error)
        })
    }

    /// Whether calls would be sent, or wait for a first attempt.
    pub(super) fn is_down(&self) -> bool {
        matches!(*self.state.lock(), State::Down(_))
    }

    /// Ends the connection for good.
    pub(super) fn close(&self) {
        if let Some(keeper) = self.keeper.lock().take() {
            keeper.abort();
        }
        let closed = std::io::Error::new(std::io::ErrorKind::NotConnected, "the store was closed");
        self.put(State::Down(Trouble::NoConnection(closed.into())));
    }

    /// Waits for the keeper's first attempt, and not so long that the call is late already when it is
    /// sent: then nobody could say whether it was done.
    async fn connection(&self) -> Result<(MultiplexedConnection, u64), Trouble> {
        if let State::Up(up) = &*self.state.lock() {
            return Ok((up.connection.clone(), up.number));
        }
        let late = |_| Trouble::NoConnection(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
        Box::pin(tokio::time::timeout(self.patience, self.mended())).await.map_err(late)?
    }

    async fn mended(&self) -> Result<(MultiplexedConnection, u64), Trouble> {
        loop {
            // Made before the look, so that no change in between is missed.
            let changed = self.changed.notified();
            match &*self.state.lock() {
                State::Up(up) => return Ok((up.connection.clone(), up.number)),
                State::Down(trouble) => return Err(trouble.clone()),
                State::Mending => {}
            }
            changed.await;
        }
    }

    /// Connection `number` is of no use any more.
    fn broke(&self, number: u64) {
        let mut state = self.state.lock();
        if matches!(&*state, State::Up(up) if up.number == number) {
            *state = State::Mending;
            drop(state);
            self.alarm.broken.notify_one();
        }
    }

    fn put(&self, state: State) {
        *self.state.lock() = state;
        self.changed.notify_waiters();
    }

    fn put_up(self: &Arc<Self>, Dialed { connection, work }: Dialed, driver: &Driver, number: u64) {
        let line = Arc::downgrade(self);
        let work = Gathering { work, gathers: true };
        // Ends when the connection does, so that an idle line is mended before it is asked for.
        let work = driver.spawn(async move {
            work.await;
            if let Some(line) = line.upgrade() {
                line.broke(number);
            }
        });
        self.put(State::Up(Up { connection, work, number }));
    }

    fn keep(self: &Arc<Self>, dialer: &Arc<Dialer>, driver: &Driver) {
        let (line, alarm) = (Arc::downgrade(self), Arc::clone(&self.alarm));
        let keeper = driver.spawn(keep(line, alarm, Arc::clone(dialer), driver.clone()));
        *self.keeper.lock() = Some(keeper);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.get_mut().take() {
            keeper.abort();
        }
    }
}

/// The work of a connection, done a moment later: after all tasks that are ready already. What they
/// have to say leaves with one call of the system, where tokio would run the work right after the
/// first of them, and what was answered meanwhile is read with one.
struct Gathering {
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
    gathers: bool,
}

impl Future for Gathering {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.gathers = !self.gathers;
        if !self.gathers {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.work.as_mut().poll(cx)
    }
}

/// Tells the keeper where it is dropped before an answer has come.
struct Patience<'a>(Option<&'a Alarm>);

impl Patience<'_> {
    /// The answer has come.
    fn end(mut self) {
        self.0 = None;
    }
}

impl Drop for Patience<'_> {
    fn drop(&mut self) {
        if let Some(alarm) = self.0 {
            alarm.doubtful.notify_one();
        }
    }
}

/// Mends the line whenever it breaks, and looks whether it leads anywhere when somebody doubts it.
async fn keep(line: Weak<Line>, alarm: Arc<Alarm>, dialer: Arc<Dialer>, driver: Driver) {
    for number in 1.. {
        while let Either::Right(_) =
            select(pin!(alarm.broken.notified()), pin!(alarm.doubtful.notified())).await
        {
            look(&line).await;
        }
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(line) = line.upgrade() else { return };
            match dialer.dial(&line.address).await {
                Ok(dialed) => {
                    line.put_up(dialed, &driver, number);
                    break;
                }
                Err(error) => line.put(State::Down(error.into_trouble())),
            }
            drop(line);
            // Not all machines at once where a server comes back.
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

/// Asks for a sign of life, and takes the line down where there is none.
async fn look(line: &Weak<Line>) {
    let Some(line) = line.upgrade() else { return };
    let up = match &*line.state.lock() {
        State::Up(up) => Some((up.connection.clone(), up.number)),
        _ => None,
    };
    let Some((mut connection, number)) = up else { return };
    let ping = redis::cmd("PING");
    let sign = connection.send_packed_command(&ping);
    if !matches!(tokio::time::timeout(line.patience, sign).await, Ok(Ok(_))) {
        line.broke(number);
    }
}
