//! Connections that become another protocol's, as websockets do, over a real socket.

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use coatroom::{Session, SessionError, SessionId, Slot};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Fixture, memory, open};

const COUNT: Slot<u64> = Slot::new("count");
const ASKS: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";

/// Sends each byte back, once it is counted.
async fn echo(session: Session, mut request: Request) -> Result<Response, SessionError> {
    session.set(COUNT, &100)?;
    let session = session.detach();
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut socket = TokioIo::new(upgraded.await.unwrap());
        while let Ok(byte) = socket.read_u8().await {
            session.edit(COUNT, |count| *count += 1).unwrap();
            session.save().await.unwrap();
            socket.write_u8(byte).await.unwrap();
        }
    });
    Ok((StatusCode::SWITCHING_PROTOCOLS, [(header::CONNECTION, "upgrade"), (header::UPGRADE, "echo")])
        .into_response())
}

#[tokio::test]
async fn an_upgrade_is_committed_before_it_leaves_and_what_is_saved_after_it_is_kept() {
    let fixture = Fixture::new(memory());
    let app = Router::new().route("/", get(echo)).layer(fixture.sessions.layer());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let server = tokio::spawn(async { axum::serve(listener, app).await });
    socket.write_all(ASKS).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let cookie = head.split_once("set-cookie: __Host-session=").unwrap().1;
    let id = SessionId::parse(cookie.split(';').next().unwrap().as_bytes()).unwrap();
    assert_eq!(open(&fixture, &id).await.get(COUNT).unwrap(), Some(100));
    for (byte, count) in [(7, 101), (8, 102)] {
        socket.write_u8(byte).await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap(), byte);
        assert_eq!(open(&fixture, &id).await.get(COUNT).unwrap(), Some(count));
    }
    server.abort();
}
