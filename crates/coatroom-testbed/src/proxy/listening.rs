use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use super::relay;
use super::state::Shared;
use crate::port;

pub(super) fn bind_free() -> (TcpListener, u16) {
    // A port may be taken between the look and the start.
    (0..5)
        .map(|_| port::free())
        .find_map(|port| Some((bind(port)?, port)))
        .expect("listening on a free port failed")
}

fn bind(port: u16) -> Option<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()
}

/// Takes connections on a thread of its own, until the proxy has ended.
pub(super) fn spawn(listener: TcpListener, shared: Arc<Shared>) {
    thread::spawn(move || {
        let mut listener = Some(listener);
        while let Some(open) = listener {
            take(open, &shared);
            shared.change(|state| state.is_listening = false);
            shared.wait(|state| state.ended || !state.refuses);
            if shared.look(|state| state.ended) {
                return;
            }
            listener = bind(shared.port);
            shared.change(|state| state.is_listening = true);
        }
    });
}

/// Takes connections until they are to be refused; then nobody listens any more.
fn take(listener: TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming().map_while(Result::ok) {
        if shared.look(|state| state.refuses || state.ended) {
            return;
        }
        relay::start(client, shared);
    }
}

/// Has the listener look what it was told, and waits until it listens no more.
pub(super) fn wake(shared: &Shared) {
    // Where nobody listens, nobody needs to be woken.
    let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.port));
    shared.wait(|state| !state.is_listening);
}

pub(super) fn wait_until_listening(shared: &Shared) {
    shared.wait(|state| state.is_listening);
}
