//! actix-session 0.11 with its Redis store, in the framework that it is for.

use std::io::Write as _;

use actix_session::storage::RedisSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::{App, HttpServer, web};

use crate::Result;
use crate::app::COUNTER;
use crate::serve::abandoned;

type Answer = std::result::Result<String, actix_web::Error>;

async fn increment(session: Session) -> Answer {
    let count = session.get::<u64>(COUNTER)?.unwrap_or(0) + 1;
    session.insert(COUNTER, count)?;
    Ok(count.to_string())
}

async fn read(session: Session) -> Answer {
    Ok(session.get::<u64>(COUNTER)?.unwrap_or(0).to_string())
}

async fn fill(bytes: web::Path<usize>, session: Session) -> Answer {
    session.insert("text", "x".repeat(*bytes))?;
    session.insert(COUNTER, 1_u64)?;
    Ok("filled".to_owned())
}

/// As `serve` of the others: with as many workers as there are processors, until standard input is closed.
pub(crate) fn serve(url: &str) -> Result<()> {
    let workers = std::thread::available_parallelism()?.get();
    actix_web::rt::System::new().block_on(async {
        let store = RedisSessionStore::new(url).await.map_err(|error| error.to_string())?;
        let key = Key::generate();
        let server = HttpServer::new(move || {
            App::new()
                .wrap(SessionMiddleware::builder(store.clone(), key.clone()).cookie_secure(false).build())
                .route("/", web::get().to(increment))
                .route("/read", web::get().to(read))
                .route("/fill/{bytes}", web::get().to(fill))
        })
        .workers(workers)
        .bind(("127.0.0.1", 0))?;
        println!("{}", server.addrs()[0].port());
        std::io::stdout().flush()?;
        tokio::select! {
            served = server.run() => served?,
            () = abandoned() => (),
        }
        Ok(())
    })
}
