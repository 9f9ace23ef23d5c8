//! The life of one request behind the layer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use super::SessionHandle;
use super::answer;
use crate::error::SessionError;
use crate::session::{CookieNews, Step};

type Commit = Pin<Box<dyn Future<Output = Result<CookieNews, SessionError>> + Send>>;

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
                    return Poll::Ready(Ok(answer::failed(this.handle.web(), &SessionError::NestedLayers)));
                }
                StageProjection::Handling { handler } => {
                    let mut response = match ready!(handler.poll(cx)) {
                        Ok(response) => response,
                        Err(error) => {
                            // With everything dropped there is nothing to wait for.
                            let _ = this.handle.session.conclude(true);
                            return Poll::Ready(Err(error));
                        }
                    };
                    let has_failed = answer::has_failed(&response);
                    if has_failed {
                        answer::answer_returned(this.handle.web(), &mut response);
                    }
                    let rolls_back = has_failed || this.handle.rolls_back(response.status());
                    match this.handle.session.conclude(rolls_back) {
                        None => return Poll::Ready(Ok(response)),
                        Some(Step::Done(news)) => {
                            this.handle.tell_client(news, response.headers_mut());
                            return Poll::Ready(Ok(response));
                        }
                        Some(Step::Waiting(saving)) => {
                            let commit = Box::pin(saving.finish_for_response());
                            this.stage.set(Stage::Committing { commit, response: Some(response) });
                        }
                    }
                }
                StageProjection::Committing { commit, response } => {
                    let committed = ready!(commit.as_mut().poll(cx));
                    let (news, mut response) = match (committed, response.take()) {
                        (Ok(news), Some(response)) => (news, response),
                        (Ok(_), None) => return Poll::Pending, // polled after it was ready
                        (Err(error), _) => {
                            let failed = answer::failed(this.handle.web(), &error);
                            (this.handle.session.close(), failed)
                        }
                    };
                    this.handle.tell_client(news, response.headers_mut());
                    return Poll::Ready(Ok(response));
                }
            }
        }
    }
}

impl<F, B> fmt::Debug for SessionFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionFuture").field("handle", &self.handle).finish_non_exhaustive()
    }
}
