//! The immediate change of one attribute: read, change, compare-and-set, again if another was first.

use super::login::Admission;
use super::plan::{Draw, Work};
use super::write::Attempt;
use super::{Engine, MAX_ATTEMPTS, Written};
use crate::error::SessionError;
use crate::event::Event;
use crate::record::{AttributeEdit, Draft, HeaderEdit, RawValue, Record, Value};

impl Engine {
    /// Applies `change` to the newest value of the attribute `name`, atomically. `work` says which
    /// session, and how to make it where there is none; its own changes are left alone.
    pub(crate) async fn update<E: From<SessionError>>(
        &self,
        work: &Work,
        name: &str,
        mut change: impl FnMut(Option<RawValue<'_>>) -> Result<Value, E>,
    ) -> Result<Written, E> {
        let mut refused = false;
        let change = |value: Option<RawValue<'_>>| change(value).inspect_err(|_| refused = true);
        let written = self.update_replaying(work, name, change).await;
        #[cfg(feature = "metrics")]
        match &written {
            Ok(written) => crate::metrics::landed(written.record.bytes().len()),
            // Nothing was attempted.
            Err(_) if refused => {}
            Err(_) => crate::metrics::commit("failed"),
        }
        written
    }

    async fn update_replaying<E: From<SessionError>>(
        &self,
        work: &Work,
        name: &str,
        mut change: impl FnMut(Option<RawValue<'_>>) -> Result<Value, E>,
    ) -> Result<Written, E> {
        let admission = Admission::default();
        let draw = Draw { now: self.now(), nonce: fastrand::u64(..), renewed: None, admission };
        let mut newest = work.base.clone();
        for _ in 0..MAX_ATTEMPTS {
            work.check_newest(newest.as_ref())?;
            let value = change(newest.as_ref().and_then(|record| record.get(name)))?;
            let record = self.with_attribute(work, newest.as_ref(), name, &value, &draw)?;
            match self.attempt(newest.as_ref(), &record).await.map_err(SessionError::from)? {
                Attempt::Landed(departed) => {
                    self.report_all(&departed);
                    let id = work.fresh.clone().filter(|_| newest.is_none());
                    if newest.is_none() {
                        self.events.tell(&Event::Created { locator: work.key.locator });
                    }
                    return Ok(Written { record, replaced: newest, id });
                }
                Attempt::Newer(record) => newest = Some(record),
                Attempt::Gone => return Err(SessionError::Gone.into()),
            }
        }
        Err(SessionError::Contended { attempts: MAX_ATTEMPTS }.into())
    }

    fn with_attribute(
        &self,
        work: &Work,
        newest: Option<&Record>,
        name: &str,
        value: &Value,
        draw: &Draw,
    ) -> Result<Record, SessionError> {
        let edits = [AttributeEdit { name, value: Some(value.as_raw()) }];
        let fresh;
        let (header, activity) = match newest {
            None => {
                fresh = self.fresh_header(work, draw);
                (HeaderEdit::Whole(&fresh), work.fresh_activity(draw.now))
            }
            Some(record) => (HeaderEdit::Advance { nonce: draw.nonce }, record.activity()),
        };
        let extensions = newest.map_or(&[][..], |record| record.extensions().bytes());
        self.assemble(Draft { key: work.key, activity, header, extensions, base: newest, edits: &edits })
    }
}
