use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinError};

use crate::error::StoreError;
use crate::store::StoreFuture;

/// The async runtime that a store's connections live in: the application's, or a thread of the
/// store's own, so that threads without a runtime can use the store too.
#[derive(Clone, Debug)]
pub(in crate::store) struct Driver {
    handle: Handle,
    _own: Option<Arc<OwnThread>>,
}

/// A runtime on a thread of its own, which ends when this is dropped.
#[derive(Debug)]
struct OwnThread {
    _stop: oneshot::Sender<()>,
}

impl Driver {
    /// The runtime that this is called in; `None` outside of any.
    pub(in crate::store) fn current() -> Option<Self> {
        Handle::try_current().ok().map(|handle| Self { handle, _own: None })
    }

    /// A runtime on a thread of its own, called `name`.
    pub(in crate::store) fn own(name: &str) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Sent or dropped, it says the same.
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Self { handle, _own: Some(Arc::new(OwnThread { _stop: stop })) })
    }

    /// Starts a task of the store's own, which can be ended. It must not keep the store alive.
    pub(in crate::store) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.handle.spawn(task).abort_handle()
    }

    /// Runs `work` in the runtime to its end, even where the future is dropped. `Err` where the runtime
    /// has ended.
    pub(in crate::store) async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        self.handle.spawn(work).await
    }

    /// Runs `work` in the runtime: at once where the caller is in it, else handed over to it.
    ///
    /// Work that was handed over is completed even where the future is dropped.
    pub(in crate::store) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> StoreFuture<T> {
        let handle = self.handle.clone();
        StoreFuture::boxed(async move {
            if Handle::try_current().is_ok_and(|here| here.id() == handle.id()) {
                return work.await;
            }
            match handle.spawn(work).await {
                Ok(answer) => answer,
                Err(error) => Err(StoreError::unavailable_because(
                    "asking the session store failed: the async runtime it was opened in has ended; open the store in one that lives as long as the store is used",
                    error,
                )),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::Wait;

    /// Needs a runtime that can tell the time.
    async fn work() -> Result<&'static str, StoreError> {
        tokio::time::timeout(std::time::Duration::from_secs(60), std::future::ready(())).await.unwrap();
        Ok(if std::thread::current().name() == Some("own") { "own" } else { "the caller's" })
    }

    #[test]
    fn a_thread_without_a_runtime_is_served() {
        let driver = Driver::own("own").unwrap();
        assert_eq!(driver.run(work()).wait().unwrap(), "own");
    }

    #[tokio::test]
    async fn a_caller_in_the_runtime_does_the_work_itself() {
        let driver = Driver::current().unwrap();
        assert_eq!(driver.run(work()).await.unwrap(), "the caller's");
    }

    #[tokio::test]
    async fn a_caller_in_another_runtime_is_served() {
        let driver = Driver::own("own").unwrap();
        assert_eq!(driver.run(work()).await.unwrap(), "own");
    }

    #[test]
    fn a_runtime_that_has_ended_is_an_error() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let driver = runtime.block_on(async { Driver::current().unwrap() });
        drop(runtime);
        let error = driver.run(async { Ok(()) }).wait().unwrap_err();
        assert!(error.to_string().contains("has ended"), "{error}");
    }
}
