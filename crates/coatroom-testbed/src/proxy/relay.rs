use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::counts::Way;
use super::state::Shared;

/// Connects a client with the server and passes on what they say, on two threads.
pub(super) fn start(client: TcpStream, shared: &Arc<Shared>) {
    // A client whose server cannot be reached is hung up on.
    let Ok(server) = TcpStream::connect(&shared.upstream) else { return };
    let Ok(Some(connection)) = open(&client, &server, shared) else { return };
    let pairs =
        [(Way::Command, client.try_clone(), server.try_clone()), (Way::Answer, Ok(server), Ok(client))];
    for (way, from, to) in pairs {
        let (Ok(from), Ok(to)) = (from, to) else { continue };
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            pass_on(connection, way, from, to, &shared);
            shared.change(|state| state.close(connection));
        });
    }
}

fn open(client: &TcpStream, server: &TcpStream, shared: &Shared) -> std::io::Result<Option<usize>> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ends = [client.try_clone()?, server.try_clone()?];
    Ok(shared.change(|state| state.open(ends)))
}

/// Until either end closes, or the connection is cut.
fn pass_on(connection: usize, way: Way, mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if way == Way::Answer {
            thread::sleep(shared.look(|state| state.delay));
        }
        let Some(passing) = shared.admit(connection, way, read, || is_closed(&from)) else { return };
        if to.write_all(&buffer[..passing]).is_err() || passing < read {
            return;
        }
    }
}

/// Whether the other side has closed this, found out without reading what it sent before.
fn is_closed(stream: &TcpStream) -> bool {
    let looked = stream.set_read_timeout(Some(Duration::from_millis(1))).and_then(|()| stream.peek(&mut [0]));
    // Afterwards reads wait again, and this one is no longer needed where that fails.
    let gone = stream.set_read_timeout(None).is_err();
    gone || matches!(looked, Ok(0))
}
