//! Work that may take longer, so that requests take less.

use std::panic::resume_unwind;

/// How much nicer the threads are. Where every processor is busy with requests, such a thread has a
/// quarter of one: enough to keep up, and requests need not share each of them half and half.
const NICER: i32 = 5;

/// Runs it on a thread that gives way to others, as do all threads which that one starts. They can
/// never be raised again, so none that a request waits for is among them.
///
/// # Panics
///
/// If `work` does, or there can be no thread.
pub(super) fn giving_way<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let done = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            give_way();
            work()
        });
        thread.join()
    });
    done.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Linux alone gives each thread a niceness of its own. Where it may not be changed, it stays.
fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICER);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn threads_give_way_from_the_one_that_starts_them_on() {
        let nice = || rustix::process::nice(0).unwrap();
        let own = nice();
        let started = giving_way(|| std::thread::spawn(nice).join().unwrap());
        assert_eq!(started, (own + NICER).min(19));
        assert_eq!(nice(), own, "whoever waits for it stays as it was");
    }

    #[test]
    #[should_panic(expected = "as it should")]
    fn a_panic_is_passed_on() {
        giving_way(|| panic!("as it should"));
    }
}
