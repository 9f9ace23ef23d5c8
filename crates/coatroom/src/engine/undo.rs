//! Taking a commit back: for callers that take part in a commit of several parties.

use super::Engine;
use super::write::Attempt;
use crate::clock::Timestamp;
use crate::error::{SessionError, StoreError};
use crate::id::Key;
use crate::record::{AttributeEdit, Draft, Extensions, Header, HeaderEdit, Record};
use crate::store::Creation;

/// What takes one commit or one ending back: the record before it and the record after it.
///
/// Cheap to keep: it shares the bytes of both. Source: the second phase of a two-phase commit, such
/// as `tpc_abort` of Zope's transaction package.
#[derive(Clone, Debug)]
#[must_use = "without it the commit cannot be taken back"]
pub struct Undo {
    pub(crate) key: Key,
    /// `None` where the commit created the session.
    pub(crate) before: Option<Record>,
    /// `None` where the session was ended.
    pub(crate) after: Option<Record>,
}

impl Engine {
    /// Takes `undo` back. What others committed on top stays; what they changed is not restored.
    pub(crate) async fn undo(&self, undo: &Undo) -> Result<(), SessionError> {
        let Some(after) = &undo.after else {
            return Ok(self.revive(undo.before.as_ref()).await?);
        };
        let mut newest = self.store.load(&undo.key, self.now()).await?;
        while let Some(found) = newest.filter(|found| found.is_same(after) || found.succeeds(after)) {
            let Some(record) = self.reverted(undo.before.as_ref(), after, &found)? else { return Ok(()) };
            let answer = self.store.commit(found.revision(), record.clone(), self.now());
            match self.make_certain(found.revision(), &record, answer).await? {
                Attempt::Newer(record) => newest = Some(record),
                Attempt::Landed(departed) => {
                    self.report_all(&departed);
                    return Ok(());
                }
                Attempt::Gone => return Ok(()),
            }
        }
        Ok(())
    }

    /// Puts an ended session back, unless another was begun under its key.
    async fn revive(&self, before: Option<&Record>) -> Result<(), StoreError> {
        let Some(before) = before else { return Ok(()) };
        let insert = || self.store.create(before.clone(), self.now());
        let created = match insert().await {
            // Inserting the same record again finds out whether it had been inserted.
            Err(error) if error.is_outcome_unknown() => insert().await?,
            done => done?,
        };
        if let Creation::Created(departed) = created {
            self.report_all(&departed);
        }
        Ok(())
    }

    /// The record that undoing makes of `found`; `None` where nothing is left to undo.
    fn reverted(
        &self,
        before: Option<&Record>,
        after: &Record,
        found: &Record,
    ) -> Result<Option<Record>, SessionError> {
        let nonce = fastrand::u64(..);
        if found.revision() == after.revision() {
            let header = whole(before, after, self.now(), nonce);
            let extensions = before.map_or(Extensions::new(&[]), Record::extensions).bytes();
            let (key, activity) = (*found.key(), found.activity());
            let header = HeaderEdit::Whole(&header);
            return self
                .assemble(Draft { key, activity, header, extensions, base: before, edits: &[] })
                .map(Some);
        }
        let edits = reverse(before, after, found);
        if edits.is_empty() {
            return Ok(None);
        }
        self.assemble(Draft {
            key: *found.key(),
            activity: found.activity(),
            header: HeaderEdit::Advance { nonce },
            extensions: found.extensions().bytes(),
            base: Some(found),
            edits: &edits,
        })
        .map(Some)
    }
}

/// The header of a record that nobody else has committed on: as before, one revision on. A session
/// that the commit created is dead at once.
fn whole(before: Option<&Record>, after: &Record, now: Timestamp, nonce: u64) -> Header {
    let advanced = after.header().advanced(nonce);
    match before {
        Some(before) => Header { revision: advanced.revision, nonce, ..before.header() },
        None => Header { deadline: now, ..advanced },
    }
}

/// The attributes that the commit changed and that still are as it left them, as they were before.
fn reverse<'a>(before: Option<&'a Record>, after: &'a Record, found: &Record) -> Vec<AttributeEdit<'a>> {
    let old = |name: &str| before.and_then(|record| record.get(name));
    let names = after.attributes_iter().map(|(name, _)| name);
    let removed = before.into_iter().flat_map(|record| record.attributes_iter().map(|(name, _)| name));
    let mut names: Vec<_> = names.chain(removed.filter(|name| after.get(name).is_none())).collect();
    names.sort_unstable();
    names
        .into_iter()
        .filter(|name| after.get(name) != old(name) && found.get(name) == after.get(name))
        .map(|name| AttributeEdit { name, value: old(name) })
        .collect()
}
