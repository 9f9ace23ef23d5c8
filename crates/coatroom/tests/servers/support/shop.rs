use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use coatroom::{Session, SessionError, SessionManager, SessionManagerBuilder, Slot, Store};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Browser;

/// Whose session it is, as its owner wrote it down.
const OWNER: Slot<String> = Slot::new("owner");
/// What its owner was told is kept.
const LIST: Slot<Vec<u64>> = Slot::new("list");
const BALLAST: Slot<String> = Slot::new("ballast");

/// An application on a store, served over HTTP until this is dropped.
#[derive(Debug)]
pub struct Shop {
    pub sessions: SessionManager,
    pub address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Shop {
    pub async fn open(store: Arc<dyn Store>) -> Self {
        Self::with(store, |builder| builder).await
    }

    /// Without a sweeper, unless `configure` says otherwise.
    pub async fn with(
        store: Arc<dyn Store>,
        configure: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder,
    ) -> Self {
        let sessions = configure(SessionManager::builder_shared(store).sweep_every(None)).build().unwrap();
        let router = Self::router(&sessions);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { sessions, address, serving }
    }

    /// The application itself.
    pub fn router(sessions: &SessionManager) -> Router {
        Router::new()
            .route("/", get(async || "open"))
            .route("/login/{user}", post(login))
            .route("/logout", post(logout))
            .route("/owner", get(owner))
            .route("/list", get(list))
            .route("/list/{number}", post(push))
            .route("/ballast", post(keep))
            .layer(sessions.layer())
    }

    /// A visitor without a session.
    pub fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// A visitor who has signed in.
    pub async fn signed_in(&self, user: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.post(&format!("/login/{user}")).await;
        assert_eq!(answer.status, 204, "{answer:?}");
        browser
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn login(session: Session, Path(user): Path<String>) -> Result<StatusCode, SessionError> {
    session.login(&user)?;
    session.set(OWNER, &user)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn logout(session: Session) -> Result<StatusCode, SessionError> {
    session.logout().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn owner(session: Session) -> Result<String, SessionError> {
    let (principal, owner) = (session.principal(), session.get(OWNER)?);
    assert_eq!(principal, owner, "one session is another's in part");
    Ok(owner.unwrap_or_default())
}

async fn list(session: Session) -> Result<String, SessionError> {
    let list = session.get(LIST)?.unwrap_or_default();
    Ok(list.iter().map(u64::to_string).collect::<Vec<_>>().join(" "))
}

async fn push(session: Session, Path(number): Path<u64>) -> Result<StatusCode, SessionError> {
    session.edit(LIST, move |list| list.push(number))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn keep(session: Session, ballast: String) -> Result<StatusCode, SessionError> {
    session.set(BALLAST, &ballast)?;
    Ok(StatusCode::NO_CONTENT)
}
