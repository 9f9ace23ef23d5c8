use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// A port of the loopback interface that is free now.
///
/// Below those that the kernel gives to outgoing connections: a server that is started again finds
/// its port free, and who dials it meanwhile never connects to itself.
pub(crate) fn free() -> u16 {
    (0..1_000)
        .map(|_| fastrand::u16(15_000..32_000))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("finding a free port from 15000 to 32000 failed: stop some servers")
}

/// Whether somebody takes connections there.
pub(crate) fn answers(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}
