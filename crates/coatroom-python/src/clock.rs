//! A clock that tests move by hand.

use std::sync::Arc;
use std::time::Duration;

use coatroom::Timestamp;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A clock moved by hand: ManualClock(now=...) in seconds since 1970.
#[pyclass(module = "coatroom._native", frozen)]
#[derive(Debug)]
pub(crate) struct ManualClock(pub(crate) Arc<coatroom::ManualClock>);

#[pymethods]
impl ManualClock {
    #[new]
    #[pyo3(signature = (now = 1_800_000_000.0))]
    fn new(now: f64) -> PyResult<Self> {
        let clock = coatroom::ManualClock::default();
        clock.set(timestamp(now)?);
        Ok(Self(Arc::new(clock)))
    }

    /// Moves it forward by a number of seconds.
    fn advance(&self, seconds: f64) -> PyResult<()> {
        self.0.advance(duration("seconds", seconds)?);
        Ok(())
    }

    /// Sets it to a number of seconds since 1970.
    fn set(&self, now: f64) -> PyResult<()> {
        self.0.set(timestamp(now)?);
        Ok(())
    }

    /// The time it shows, in seconds since 1970.
    fn now(&self) -> f64 {
        seconds(coatroom::Clock::now(&*self.0))
    }
}

/// Seconds since 1970, to the millisecond.
pub(crate) fn seconds(at: Timestamp) -> f64 {
    at.as_millis() as f64 / 1_000.0
}

/// As [`seconds`], with none for a time that never comes.
pub(crate) fn seconds_or_never(at: Timestamp) -> Option<f64> {
    // A deadline of no limit lies as far off as a record can say.
    const FAR: u64 = 1 << 52;
    (at.as_millis() < FAR).then(|| seconds(at))
}

fn timestamp(now: f64) -> PyResult<Timestamp> {
    let millis = duration("now", now)?.as_millis();
    Ok(Timestamp::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
}

/// A duration in seconds, which none makes endless.
pub(crate) fn limit(what: &str, seconds: Option<f64>) -> PyResult<Duration> {
    seconds.map_or(Ok(Duration::MAX), |seconds| duration(what, seconds))
}

/// A duration in seconds.
pub(crate) fn duration(what: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|error| PyValueError::new_err(format!("{what} = {seconds} is no duration: {error}")))
}
