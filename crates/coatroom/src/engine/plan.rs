//! What a commit is to do, and the record it comes to.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use compact_str::CompactString;

use super::Engine;
use super::login::Admission;
use crate::changes::{Changes, Resolved};
use crate::clock::Timestamp;
use crate::error::SessionError;
use crate::id::{Key, SessionId};
use crate::record::{
    Activity, Draft, Extension, Extensions, FORMAT_MAX, FormatLimit, HashAlgorithm, Header, HeaderEdit,
    Record, Renewal,
};

/// The work of one commit: what a request changed and the record it began with.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) key: Key,
    /// The record this request loaded; `None` where it is to create one.
    pub(crate) base: Option<Record>,
    /// The id of a session that does not exist yet; `None` for a keyed one.
    pub(crate) fresh: Option<Box<SessionId>>,
    pub(crate) changes: Changes,
    pub(crate) settings: Settings,
}

/// Changes of the session itself rather than of its attributes. Few requests make any, so they
/// take one word until one does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings(Option<Box<Wishes>>);

/// What is to become of the session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) login: Option<CompactString>,
    pub(crate) renew: bool,
    pub(crate) client_label: Option<CompactString>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) persistent: Option<bool>,
    /// Store the session though it holds nothing.
    pub(crate) create: bool,
    /// The id was handed out by other means than an answer to a client that may ignore it.
    pub(crate) confirmed: bool,
}

/// No wish at all.
static NO_WISH: Wishes = Wishes {
    login: None,
    renew: false,
    client_label: None,
    idle_timeout: None,
    lifetime: None,
    persistent: None,
    create: false,
    confirmed: false,
};

impl Deref for Settings {
    type Target = Wishes;

    fn deref(&self) -> &Wishes {
        self.0.as_deref().unwrap_or(&NO_WISH)
    }
}

impl DerefMut for Settings {
    fn deref_mut(&mut self) -> &mut Wishes {
        self.0.get_or_insert_default()
    }
}

impl Settings {
    /// Whether there is no wish at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl Wishes {
    /// Whether a record that exists is to be written though no attribute changed.
    pub(crate) fn change_record(&self) -> bool {
        self.renews()
            || self.client_label.is_some()
            || self.idle_timeout.is_some()
            || self.lifetime.is_some()
            || self.persistent.is_some()
    }

    pub(crate) fn renews(&self) -> bool {
        self.renew || self.login.is_some()
    }

    /// Whether the browser must be told of it by another Set-Cookie.
    pub(crate) fn change_cookie(&self) -> bool {
        self.lifetime.is_some() || self.persistent.is_some()
    }
}

/// What one commit has drawn and learnt before it meets the newest record.
pub(super) struct Draw {
    pub(super) now: Timestamp,
    pub(super) nonce: u64,
    /// The id of a renewal.
    pub(super) renewed: Option<Box<SessionId>>,
    pub(super) admission: Admission,
}

impl Engine {
    /// The record that `work` makes of `newest`; `None` where there is nothing to write.
    pub(super) fn plan(
        &self,
        work: &Work,
        newest: Option<&Record>,
        draw: &Draw,
    ) -> Result<Option<Record>, SessionError> {
        let mut resolved = Resolved::default();
        work.changes.resolve(&self.codec(&work.key), work.base.as_ref(), newest, &mut resolved)?;
        let idle = resolved.is_empty();
        match newest {
            None if idle && !work.settings.create && work.settings.login.is_none() => return Ok(None),
            Some(_) if idle && !work.settings.change_record() => return Ok(None),
            _ => {}
        }
        let activity = newest.map_or_else(|| work.fresh_activity(draw.now), Record::activity);
        let base = newest.filter(|_| !resolved.clear);
        let edits = resolved.edits();
        let (mut whole, mut extensions) =
            (None, newest.map_or(Extensions::new(&[]), Record::extensions).bytes().into());
        if base.is_none() || work.settings.change_record() {
            let header =
                newest.map_or_else(|| self.fresh_header(work, draw), |r| r.header().advanced(draw.nonce));
            let header = whole.insert(header);
            extensions = self.apply_settings(&work.settings, header, extensions, draw);
        }
        let header = whole.as_ref().map_or(HeaderEdit::Advance { nonce: draw.nonce }, HeaderEdit::Whole);
        let draft = Draft { key: work.key, activity, header, extensions: &extensions, base, edits: &edits };
        self.assemble(draft).map(Some)
    }

    /// Puts a record together, within the limits.
    pub(super) fn assemble(&self, draft: Draft<'_>) -> Result<Record, SessionError> {
        let record = draft.assemble().map_err(over_format)?;
        let (count, limit) = (record.attribute_count(), self.config.max_attributes);
        if count > limit {
            return Err(SessionError::TooManyAttributes { count, limit });
        }
        let (size, limit) = (record.bytes().len(), self.config.max_record_bytes);
        if size > limit {
            return Err(SessionError::RecordTooLarge { size, limit });
        }
        Ok(record)
    }

    pub(super) fn fresh_header(&self, work: &Work, draw: &Draw) -> Header {
        let (algorithm, secret_hash) = match &work.fresh {
            Some(id) => (HashAlgorithm::Sha256, id.hash().0),
            None => (HashAlgorithm::Keyed, [0; 32]),
        };
        Header {
            persistent: false,
            algorithm,
            // Random, so that a record created again under a key is never taken for the old one;
            // small enough that no session ever counts to the end.
            revision: fastrand::u64(1..1 << 62),
            generation: 0,
            unconfirmed_timeout: self.config.unconfirmed_timeout.filter(|_| !work.is_confirmed()),
            created: draw.now,
            deadline: draw.now + self.config.lifetime,
            idle_timeout: self.config.idle_timeout,
            nonce: draw.nonce,
            secret_hash,
            renewal: None,
        }
    }

    fn apply_settings<'a>(
        &self,
        settings: &Settings,
        header: &mut Header,
        mut bytes: Cow<'a, [u8]>,
        draw: &Draw,
    ) -> Cow<'a, [u8]> {
        if let Some(id) = &draw.renewed {
            renew(header, id, draw.now);
        }
        if let Some(principal) = &settings.login {
            if Extensions::new(&bytes).principal().is_some_and(|(_, owner)| owner != principal) {
                bytes = self.forget_wishes(header, &bytes).into();
            }
            header.renewal.get_or_insert(NO_RENEWAL).authenticated = draw.admission.at;
            let own = Extensions::new(&bytes).number(Extension::LIFETIME).map(Duration::from_millis);
            header.deadline = draw.now + own.unwrap_or(self.config.lifetime);
            bytes = Extensions::new(&bytes).with_principal(Some((draw.admission.epoch, principal))).into();
        }
        if let Some(label) = &settings.client_label {
            bytes = Extensions::new(&bytes).with(Extension::CLIENT_LABEL, Some(label.as_bytes())).into();
        }
        if let Some(lifetime) = settings.lifetime {
            let signed_in = header.renewal.map(|r| r.authenticated).filter(|at| at.as_millis() > 0);
            header.deadline = signed_in.unwrap_or(header.created) + lifetime;
            let millis = crate::clock::millis(lifetime).to_le_bytes();
            bytes = Extensions::new(&bytes).with(Extension::LIFETIME, Some(&millis)).into();
        }
        header.idle_timeout = settings.idle_timeout.unwrap_or(header.idle_timeout);
        header.persistent = settings.persistent.unwrap_or(header.persistent);
        bytes
    }

    /// What the owner before wished for the session is not for the next one.
    fn forget_wishes(&self, header: &mut Header, extensions: &[u8]) -> Vec<u8> {
        header.idle_timeout = self.config.idle_timeout;
        header.persistent = false;
        let extensions = Extensions::new(extensions).with(Extension::LIFETIME, None);
        Extensions::new(&extensions).with(Extension::CLIENT_LABEL, None)
    }
}

impl Work {
    pub(super) fn fresh_activity(&self, now: Timestamp) -> Activity {
        Activity { last_accessed: now, confirmed: self.is_confirmed() }
    }

    fn is_confirmed(&self) -> bool {
        self.settings.confirmed || self.fresh.is_none()
    }
}

const NO_RENEWAL: Renewal = Renewal {
    authenticated: Timestamp::from_millis(0),
    renewed: Timestamp::from_millis(0),
    previous: [0; 32],
};

fn renew(header: &mut Header, id: &SessionId, now: Timestamp) {
    let renewal = header.renewal.get_or_insert(NO_RENEWAL);
    renewal.previous = header.secret_hash;
    renewal.renewed = now;
    header.secret_hash = id.hash().0;
    header.generation = header.generation.wrapping_add(1);
}

fn over_format(exceeded: FormatLimit) -> SessionError {
    let limit = FORMAT_MAX;
    match exceeded {
        FormatLimit::Attributes(count) => SessionError::TooManyAttributes { count, limit },
        FormatLimit::Names(size) => SessionError::NamesTooLong { size, limit },
        FormatLimit::Extensions(size) => {
            SessionError::InvalidText { what: "principal and client label", size, limit }
        }
    }
}
