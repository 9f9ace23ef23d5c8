//! The life of one request behind the layer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use tracing::Instrument as _;

use super::SessionHandle;
use super::answer;
use crate::error::SessionError;
use crate::session::Session;

type Commit = Pin<Box<dyn Future<Output = Result<(), SessionError>> + Send>>;

pin_project! {
    /// The future of a [`SessionService`](super::SessionService).
    ///
    /// Dropping it before it is ready leaves the session as it was, or as the handler's immediate
    /// changes and a commit under way made it; never between.
    pub struct SessionFuture<F, B> {
        #[pin]
        stage: Stage<F, B>,
        handle: SessionHandle,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<F, B> {
        /// The layer is there twice.
        Nested,
        /// The handler is at work.
        Handling { #[pin] handler: F },
        /// The handler answered, the store has not yet.
        Committing { commit: Commit, response: Option<Response<B>> },
    }
}

impl<F, B> SessionFuture<F, B> {
    pub(super) fn handling(handler: F, handle: SessionHandle) -> Self {
        Self { stage: Stage::Handling { handler }, handle }
    }

    pub(super) fn nested(handle: SessionHandle) -> Self {
        Self { stage: Stage::Nested, handle }
    }
}

impl<F, B, E> Future for SessionFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: From<String>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        loop {
            match this.stage.as_mut().project() {
                StageProjection::Nested => {
                    return Poll::Ready(Ok(answer::failed(
                        this.handle.sessions.web(),
                        &SessionError::NestedLayers,
                    )));
                }
                StageProjection::Handling { handler } => {
                    let response = ready!(handler.poll(cx))?;
                    let Some(session) = this.handle.loaded() else { return Poll::Ready(Ok(response)) };
                    match begin_commit(this.handle, session, &response) {
                        None => return Poll::Ready(Ok(finish(this.handle, session, response))),
                        Some(commit) => {
                            this.stage.set(Stage::Committing { commit, response: Some(response) })
                        }
                    }
                }
                StageProjection::Committing { commit, response } => {
                    let committed = ready!(commit.as_mut().poll(cx));
                    let answered = response.take();
                    let response = match (committed, answered) {
                        (Ok(()), Some(response)) => response,
                        (Ok(()), None) => return Poll::Pending, // polled after it was ready
                        (Err(error), _) => answer::failed(this.handle.sessions.web(), &error),
                    };
                    let Some(session) = this.handle.loaded() else { return Poll::Ready(Ok(response)) };
                    return Poll::Ready(Ok(finish(this.handle, session, response)));
                }
            }
        }
    }
}

/// The commit of what the handler deferred; none where it failed or deferred nothing.
fn begin_commit<B>(handle: &SessionHandle, session: &Session, response: &Response<B>) -> Option<Commit> {
    if handle.rolls_back(response.status()) {
        session.roll_back();
    }
    if !session.has_deferred() {
        return None;
    }
    let session = session.clone();
    let span = tracing::debug_span!(target: "coatroom", "commit", locator = ?session.locator());
    Some(Box::pin(async move { session.commit().await }.instrument(span)))
}

fn finish<B>(handle: &SessionHandle, session: &Session, mut response: Response<B>) -> Response<B> {
    handle.tell_client(session, response.headers_mut());
    response
}

impl<F, B> fmt::Debug for SessionFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionFuture").field("handle", &self.handle).finish_non_exhaustive()
    }
}
