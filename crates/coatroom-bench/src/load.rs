//! Load on a server: as many requests as a number of connections can make.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;
use crate::http::{Visitor, head_and_length, request};
use crate::process::Server;

/// Threads that ask: as many as wrk would be given on a small machine.
const THREADS: usize = 2;

/// What one slice of load showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) requests_per_second: f64,
    /// CPU time of the server's process.
    pub(crate) cpu_microseconds: f64,
    /// Of a hundred requests 99 were answered within this time.
    pub(crate) p99_milliseconds: f64,
}

/// The Cookie headers of `count` new sessions, each begun by asking for `path`.
pub(crate) fn new_sessions(address: SocketAddr, path: &str, count: usize) -> Result<Vec<String>> {
    let mut visitor = Visitor::connect(address)?;
    let mut cookies = Vec::with_capacity(count);
    for _ in 0..count {
        visitor.forget();
        let answer = visitor.get(path)?;
        if answer.status != 200 {
            return Err(format!("a new session was answered {}: {}", answer.status, answer.body).into());
        }
        cookies.push(visitor.cookie());
    }
    Ok(cookies)
}

/// Asks for `path` for `duration` over so many connections at the same time. Each has its own part of
/// the cookies and takes them in turn; no session is asked for by two at once.
pub(crate) fn closed_loop(
    server: &Server,
    path: &str,
    cookies: &[String],
    connections: usize,
    duration: Duration,
) -> Result<Slice> {
    let requests: Vec<Vec<u8>> = cookies.iter().map(|cookie| request(path, cookie)).collect();
    let parts: Vec<&[Vec<u8>]> = requests.chunks(requests.len().div_ceil(connections)).collect();
    let before = server.cpu()?;
    let start = Instant::now();
    let times: Vec<Result<Vec<u32>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = parts
            .chunks(parts.len().div_ceil(THREADS))
            .map(|parts| scope.spawn(move || ask_from_one_thread(server.address, parts, start + duration)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err("a client panicked".into()))).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let cpu = server.cpu()? - before;
    let mut times = times.into_iter().collect::<Result<Vec<_>>>()?.concat();
    let requests = times.len() as f64;
    Ok(Slice {
        requests_per_second: requests / seconds,
        cpu_microseconds: cpu.as_secs_f64() * 1e6 / requests,
        p99_milliseconds: p99(&mut times) / 1e3,
    })
}

/// In microseconds, as the times are.
fn p99(times: &mut [u32]) -> f64 {
    let at = times.len() * 99 / 100;
    if at >= times.len() { f64::NAN } else { f64::from(*times.select_nth_unstable(at).1) }
}

/// How long each answer took, in microseconds.
fn ask_from_one_thread(address: SocketAddr, parts: &[&[Vec<u8>]], end: Instant) -> Result<Vec<u32>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        let connections: Vec<_> = parts
            .iter()
            .map(|requests| {
                let requests = requests.to_vec();
                tokio::task::spawn_local(ask_over_one_connection(address, requests, end))
            })
            .collect();
        let mut times = Vec::new();
        for connection in connections {
            times.append(&mut connection.await??);
        }
        Ok(times)
    })
}

async fn ask_over_one_connection(
    address: SocketAddr,
    requests: Vec<Vec<u8>>,
    end: Instant,
) -> Result<Vec<u32>> {
    let mut connection = TcpStream::connect(address).await?;
    connection.set_nodelay(true)?;
    let mut buffer = vec![0; 16 * 1024];
    let mut times = Vec::new();
    for request in requests.iter().cycle() {
        let asked = Instant::now();
        connection.write_all(request).await?;
        let mut filled = 0;
        while head_and_length(&buffer[..filled]).is_none() {
            match connection.read(&mut buffer[filled..]).await? {
                0 => return Err("the server closed a connection under load".into()),
                more => filled += more,
            }
        }
        if !buffer.starts_with(b"HTTP/1.1 200") {
            let answer = String::from_utf8_lossy(&buffer[..filled]).into_owned();
            return Err(format!("the server answered under load: {answer}").into());
        }
        let answered = Instant::now();
        times.push(u32::try_from((answered - asked).as_micros()).unwrap_or(u32::MAX));
        if answered >= end {
            break;
        }
    }
    Ok(times)
}
