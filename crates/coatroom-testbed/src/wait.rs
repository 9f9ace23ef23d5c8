use std::time::{Duration, Instant};

/// Looks again and again until `condition` holds.
///
/// # Panics
///
/// Where it does not hold within `deadline`; the message says `what` was waited for.
#[track_caller]
pub fn wait_until(what: &str, deadline: Duration, condition: impl FnMut() -> bool) {
    assert!(holds_within(deadline, condition), "{what}: not within {deadline:?}");
}

/// Whether `condition` came to hold within `deadline`.
pub(crate) fn holds_within(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if start.elapsed() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
