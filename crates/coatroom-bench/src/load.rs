//! Load on a server: as many requests as a number of connections can make.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;
use crate::http::{Visitor, head_and_length, request};
use crate::process::Server;

/// How many connections ask at the same time.
pub(crate) const CONNECTIONS: usize = 32;

/// Threads that ask: as many as wrk would be given on a small machine.
const THREADS: usize = 2;

/// What one slice of load showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) requests_per_second: f64,
    /// CPU time of the server's process.
    pub(crate) cpu_microseconds: f64,
}

/// The Cookie headers of `count` new sessions, each with a counter of one.
pub(crate) fn new_sessions(address: SocketAddr, count: usize) -> Result<Vec<String>> {
    let mut visitor = Visitor::connect(address)?;
    let mut cookies = Vec::with_capacity(count);
    for _ in 0..count {
        visitor.forget();
        let answer = visitor.get("/")?;
        if answer.status != 200 {
            return Err(format!("a new session was answered {}: {}", answer.status, answer.body).into());
        }
        cookies.push(visitor.cookie());
    }
    Ok(cookies)
}

/// Asks for `path` for `duration`. Each connection has its own part of the cookies and takes them in
/// turn; no session is asked for by two at once.
pub(crate) fn closed_loop(
    server: &Server,
    path: &str,
    cookies: &[String],
    duration: Duration,
) -> Result<Slice> {
    let requests: Vec<Vec<u8>> = cookies.iter().map(|cookie| request(path, cookie)).collect();
    let parts: Vec<&[Vec<u8>]> = requests.chunks(requests.len().div_ceil(CONNECTIONS)).collect();
    let before = server.cpu()?;
    let start = Instant::now();
    let counts: Vec<Result<u64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = parts
            .chunks(parts.len().div_ceil(THREADS))
            .map(|parts| scope.spawn(move || ask_from_one_thread(server.address, parts, start + duration)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err("a client panicked".into()))).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let cpu = server.cpu()? - before;
    let requests = counts.into_iter().sum::<Result<u64>>()? as f64;
    Ok(Slice {
        requests_per_second: requests / seconds,
        cpu_microseconds: cpu.as_secs_f64() * 1e6 / requests,
    })
}

fn ask_from_one_thread(address: SocketAddr, parts: &[&[Vec<u8>]], end: Instant) -> Result<u64> {
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
        let mut sum = 0;
        for connection in connections {
            sum += connection.await??;
        }
        Ok(sum)
    })
}

async fn ask_over_one_connection(address: SocketAddr, requests: Vec<Vec<u8>>, end: Instant) -> Result<u64> {
    let mut connection = TcpStream::connect(address).await?;
    connection.set_nodelay(true)?;
    let mut buffer = vec![0; 16 * 1024];
    let mut count = 0;
    for request in requests.iter().cycle() {
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
        count += 1;
        if count % 16 == 0 && Instant::now() >= end {
            break;
        }
    }
    Ok(count)
}
