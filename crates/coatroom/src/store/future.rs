use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::StoreError;

/// The answer of a store: at hand, or on its way.
///
/// An in-process store answers [`StoreFuture::Ready`], which costs no allocation and no wake-up; a
/// store that has to wait boxes its future. It borrows nothing, so it may be kept anywhere.
pub enum StoreFuture<T> {
    /// The answer; `None` once it was taken.
    Ready(Option<Result<T, StoreError>>),
    /// The answer is being waited for.
    Boxed(Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>),
}

impl<T> StoreFuture<T> {
    /// A successful answer at hand.
    pub fn ready(value: T) -> Self {
        Self::Ready(Some(Ok(value)))
    }

    /// A failure at hand.
    #[must_use]
    pub fn failed(error: StoreError) -> Self {
        Self::Ready(Some(Err(error)))
    }

    /// An answer to wait for.
    pub fn boxed(future: impl Future<Output = Result<T, StoreError>> + Send + 'static) -> Self {
        Self::Boxed(Box::pin(future))
    }
}

impl<T> From<Result<T, StoreError>> for StoreFuture<T> {
    fn from(result: Result<T, StoreError>) -> Self {
        Self::Ready(Some(result))
    }
}

impl<T: Unpin> Future for StoreFuture<T> {
    type Output = Result<T, StoreError>;

    /// # Panics
    ///
    /// When polled again after it was ready, as futures may.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            #[allow(clippy::expect_used)]
            Self::Ready(answer) => {
                Poll::Ready(answer.take().expect("a store future was polled after it was ready"))
            }
            Self::Boxed(future) => future.as_mut().poll(cx),
        }
    }
}

impl<T> fmt::Debug for StoreFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready(_) => "StoreFuture::Ready",
            Self::Boxed(_) => "StoreFuture::Boxed",
        })
    }
}
