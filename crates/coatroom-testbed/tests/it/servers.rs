//! Each server starts, stops, dies, stands still and comes back.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use coatroom_testbed::{
    Nginx, PgBouncer, Postgres, PostgresOptions, Program, Redis, RedisCluster, RedisOptions, Tmpfs,
    wait_until,
};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn a_redis_keeps_its_port_and_its_durable_data() {
    if !Program::Redis.is_installed() {
        return;
    }
    let mut redis = Redis::start(RedisOptions::new().durable());
    let url = redis.url();
    redis.command(&["SET", "hat", "brown"]);
    redis.kill();
    assert!(redis.try_command(&["PING"]).is_err());
    redis.start_again();
    assert_eq!((redis.command(&["GET", "hat"]), redis.url()), ("brown".to_owned(), url));
    redis.stop();
    redis.start_again();
    assert_eq!(redis.command(&["GET", "hat"]), "brown");
}

#[test]
fn a_redis_wants_its_password_and_speaks_tls() {
    if !Program::Redis.is_installed() {
        return;
    }
    let redis = Redis::start(RedisOptions::new().set("requirepass", "ticket").tls());
    assert!(redis.url().starts_with("rediss://:ticket@localhost:"), "{}", redis.url());
    assert!(redis.authority().unwrap().is_file());
    assert_eq!(redis.command(&["PING"]), "PONG");
}

#[test]
fn a_valkey_starts() {
    if !Program::Valkey.is_installed() {
        return;
    }
    let valkey = Redis::start(RedisOptions::valkey());
    assert!(valkey.command(&["INFO", "server"]).contains("server_name:valkey"));
}

#[test]
fn a_paused_redis_stands_still_until_it_goes_on() {
    if !Program::Redis.is_installed() {
        return;
    }
    let mut redis = Redis::start(RedisOptions::new());
    let mut stream = TcpStream::connect(redis.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    redis.pause();
    stream.write_all(b"PING\r\n").unwrap();
    assert!(stream.read(&mut [0; 7]).is_err());
    redis.resume();
    stream.set_read_timeout(Some(SOON)).unwrap();
    assert_eq!(stream.read(&mut [0; 7]).unwrap(), 7);
}

#[test]
fn a_clusters_replica_takes_over() {
    if !Program::Redis.is_installed() {
        return;
    }
    let mut cluster = RedisCluster::start_with_replicas(RedisOptions::new());
    cluster.primaries()[0].kill();
    cluster.replicas()[0].wait_for_info("role", "master");
    cluster.wait_until_whole();
}

#[test]
fn a_postgres_keeps_its_port_and_its_data() {
    if !Program::Postgres.is_installed() {
        return;
    }
    let mut postgres = Postgres::start(PostgresOptions::new().tls());
    let url = postgres.url();
    postgres.sql("CREATE TABLE hats AS SELECT 'brown' AS colour");
    postgres.kill();
    postgres.start_again();
    assert_eq!((postgres.sql("SELECT colour FROM hats"), postgres.url()), ("brown".to_owned(), url));
    postgres.stop();
    postgres.start_again();
    assert_eq!(postgres.sql("SHOW ssl"), "on");
    assert_eq!(
        postgres.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'coatroom' AND NOT rolsuper"),
        "1"
    );
}

#[test]
fn a_pgbouncer_stands_before_a_postgres() {
    if !Program::PgBouncer.is_installed() || !Program::Postgres.is_installed() {
        return;
    }
    let postgres = Postgres::start(PostgresOptions::new().fast());
    let mut bouncer = PgBouncer::start(&postgres, 5);
    assert!(TcpStream::connect(bouncer.address()).is_ok());
    bouncer.kill();
    assert!(TcpStream::connect(bouncer.address()).is_err());
    bouncer.start_again();
    assert!(TcpStream::connect(bouncer.address()).is_ok());
}

#[test]
fn a_full_file_system_takes_no_more() {
    let Some(disk) = Tmpfs::mount(1 << 20) else { return };
    let error = std::fs::write(disk.path().join("file"), vec![1; 2 << 20]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    let path = disk.path().to_owned();
    drop(disk);
    assert!(!path.exists());
}

#[test]
fn nginx_hands_requests_to_each_server_in_turn() {
    if !Program::Nginx.is_installed() {
        return;
    }
    let servers = ["left", "right"].map(answering);
    let nginx = Nginx::start(&[&servers[0], &servers[1]]);
    let mut answers: Vec<String> = (0..4).map(|_| body(&nginx.address())).collect();
    answers.sort();
    assert_eq!(answers, ["left", "left", "right", "right"]);
}

/// A server that answers one word, until the test ends.
fn answering(word: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 1024]);
            let length = word.len();
            let answer =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{word}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    address
}

fn body(address: &str) -> String {
    let mut answer = String::new();
    wait_until("nginx answers", SOON, || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").unwrap();
        answer.clear();
        stream.read_to_string(&mut answer).is_ok()
    });
    answer.split("\r\n\r\n").nth(1).unwrap().to_owned()
}
