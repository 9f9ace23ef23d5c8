//! Tagged extensions: what few sessions carry, skippable by who does not know the tag.

/// Bytes that are not a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The bytes break a rule of the format.
    #[error("reading a record failed: {0}")]
    Malformed(&'static str),
    /// The bytes end before the record does.
    #[error("reading a record failed: it is cut short")]
    Truncated,
    /// A newer version of the library wrote it.
    #[error("reading a record failed: format version {version} is not known here; a newer coatroom wrote it")]
    UnknownVersion {
        /// The version found.
        version: u8,
    },
}

/// Known tags.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Extension(u16);

impl Extension {
    /// u64 epoch, then the principal in UTF-8.
    pub(crate) const PRINCIPAL: Self = Self(1);
    /// UTF-8.
    pub(crate) const CLIENT_LABEL: Self = Self(2);
    /// u64 milliseconds.
    pub(crate) const LIFETIME: Self = Self(3);
}

const PREFIX: usize = 4;

/// Extensions where they lie: each a u16 tag, a u16 length, and that many bytes.
#[derive(Clone, Copy)]
pub(crate) struct Extensions<'a>(&'a [u8]);

impl<'a> Extensions<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn check(mut bytes: &[u8]) -> Result<(), RecordError> {
        while !bytes.is_empty() {
            let (tag, body, rest) = split(bytes).ok_or(RecordError::Malformed("an extension overruns"))?;
            let sound = match tag {
                Extension::PRINCIPAL => body.len() >= 8 && std::str::from_utf8(&body[8..]).is_ok(),
                Extension::CLIENT_LABEL => std::str::from_utf8(body).is_ok(),
                Extension::LIFETIME => body.len() == 8,
                _ => true,
            };
            if !sound {
                return Err(RecordError::Malformed("an extension does not hold what its tag says"));
            }
            bytes = rest;
        }
        Ok(())
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn principal(self) -> Option<(u64, &'a str)> {
        let body = self.find(Extension::PRINCIPAL)?;
        let (epoch, name) = body.split_first_chunk::<8>()?;
        Some((u64::from_le_bytes(*epoch), std::str::from_utf8(name).ok()?))
    }

    pub(crate) fn text(self, tag: Extension) -> Option<&'a str> {
        std::str::from_utf8(self.find(tag)?).ok()
    }

    pub(crate) fn number(self, tag: Extension) -> Option<u64> {
        self.find(tag)?.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// These with one replaced or, by `None`, taken out; tags that are not known here stay.
    pub(crate) fn with(self, tag: Extension, body: Option<&[u8]>) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() + PREFIX + body.map_or(0, <[u8]>::len));
        for (other, body) in self.iter().filter(|(other, _)| *other != tag) {
            append(&mut out, other, body);
        }
        if let Some(body) = body {
            append(&mut out, tag, body);
        }
        out
    }

    /// These with another principal, or with none.
    pub(crate) fn with_principal(self, principal: Option<(u64, &str)>) -> Vec<u8> {
        let body = principal.map(|(epoch, name)| [&epoch.to_le_bytes(), name.as_bytes()].concat());
        self.with(Extension::PRINCIPAL, body.as_deref())
    }

    fn find(self, tag: Extension) -> Option<&'a [u8]> {
        self.iter().find(|(found, _)| *found == tag).map(|(_, body)| body)
    }

    fn iter(self) -> impl Iterator<Item = (Extension, &'a [u8])> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (tag, body, behind) = split(rest)?;
            rest = behind;
            Some((tag, body))
        })
    }
}

fn split(bytes: &[u8]) -> Option<(Extension, &[u8], &[u8])> {
    let (prefix, rest) = bytes.split_first_chunk::<PREFIX>()?;
    let tag = Extension(u16::from_le_bytes([prefix[0], prefix[1]]));
    let length = usize::from(u16::from_le_bytes([prefix[2], prefix[3]]));
    let (body, rest) = rest.split_at_checked(length)?;
    Some((tag, body, rest))
}

/// A body too long for its length field is cut by the caller's limits long before.
fn append(out: &mut Vec<u8>, tag: Extension, body: &[u8]) {
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&tag.0.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&body[..usize::from(length)]);
}
