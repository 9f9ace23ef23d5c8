//! A proxy counts and disturbs.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use coatroom_testbed::{Cut, Proxy, wait_until};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn round_trips_and_bytes_are_counted() {
    let proxy = Proxy::start(&echo());
    let mut streams = [connect(&proxy), connect(&proxy)];
    for (times, stream) in streams.iter_mut().enumerate() {
        for _ in 0..=times {
            assert_eq!(said_back(stream, b"hat"), Some(3));
        }
    }
    assert_eq!(proxy.round_trips_of_each(), [1, 2]);
    assert_eq!((proxy.round_trips(), proxy.command_bytes(), proxy.answer_bytes()), (3, 9, 9));
    assert_eq!((proxy.accepted(), proxy.connections(), proxy.most_connections()), (2, 2, 2));
    drop(streams);
    wait_until("the connections are gone", SOON, || proxy.connections() == 0);
}

#[test]
fn answers_that_were_held_come_later() {
    let proxy = Proxy::start(&echo());
    let mut stream = connect(&proxy);
    for hold in [Proxy::hold_answers, Proxy::black_hole] {
        hold(&proxy);
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        stream.write_all(b"hat").unwrap();
        assert!(stream.read(&mut [0; 3]).is_err());
        proxy.pass();
        stream.set_read_timeout(Some(SOON)).unwrap();
        assert_eq!(stream.read(&mut [0; 3]).unwrap(), 3);
    }
}

#[test]
fn a_client_that_gives_up_while_its_words_are_held_is_seen_to_go() {
    let proxy = Proxy::start(&echo());
    let mut stream = connect(&proxy);
    proxy.black_hole();
    stream.write_all(b"hat").unwrap();
    wait_until("the connection stands", SOON, || proxy.connections() == 1);
    drop(stream);
    wait_until("the connection is gone", SOON, || proxy.connections() == 0);
}

#[test]
fn a_connection_is_cut_in_the_middle() {
    let proxy = Proxy::start(&echo());
    for (cut, answered) in [(Cut::Answer(2), Some(2)), (Cut::Command(0), None), (Cut::Answer(0), None)] {
        let (mut one, mut other) = (connect(&proxy), connect(&proxy));
        proxy.cut_next(cut);
        assert_eq!(said_back(&mut one, b"hat"), answered);
        assert!(!proxy.is_cut_pending());
        assert_eq!(said_back(&mut other, b"hat"), Some(3));
    }
    let mut stream = connect(&proxy);
    assert_eq!(said_back(&mut stream, b"hat"), Some(3));
    proxy.cut_all();
    assert_eq!(said_back(&mut stream, b"hat"), None);
}

#[test]
fn connections_are_refused_until_all_may_pass() {
    let proxy = Proxy::start(&echo());
    let mut old = connect(&proxy);
    assert_eq!(said_back(&mut old, b"hat"), Some(3));
    for _ in 0..3 {
        proxy.refuse();
        assert!(TcpStream::connect(proxy.address()).is_err());
        proxy.pass();
        assert_eq!(said_back(&mut connect(&proxy), b"hat"), Some(3));
    }
    assert_eq!(said_back(&mut old, b"hat"), Some(3));
}

#[test]
fn a_proxy_that_was_dropped_is_gone() {
    let server = echo();
    let proxy = Proxy::start(&server);
    let (mut stream, address) = (connect(&proxy), proxy.address());
    assert_eq!(proxy.url(&format!("redis://{server}/1")), format!("redis://{address}/1"));
    drop(proxy);
    assert_eq!(said_back(&mut stream, b"hat"), None);
    assert!(TcpStream::connect(address).is_err());
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

/// How many bytes came back before the connection ended or all were there.
fn said_back(stream: &mut TcpStream, words: &[u8]) -> Option<usize> {
    stream.write_all(words).ok()?;
    let mut buffer = vec![0; words.len()];
    let mut got = 0;
    while got < words.len() {
        match stream.read(&mut buffer[got..]) {
            Ok(0) | Err(_) => break,
            Ok(more) => got += more,
        }
    }
    (got > 0).then_some(got)
}

/// A server that says what it hears, until the test ends.
fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || std::io::copy(&mut stream.try_clone().unwrap(), &mut stream));
        }
    });
    address
}
