use smallvec::SmallVec;

/// How the bytes of a value are to be read.
///
/// The library reads [`ValueFormat::MESSAGE_PACK`] and leaves every other alone, so that a Python
/// pickle can lie beside it untouched. The top bit marks a sealed value: its bytes are what the
/// [`Sealer`](crate::Sealer) returned.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ValueFormat(pub u8);

impl ValueFormat {
    /// MessagePack, structs as maps: what [`Slot`](crate::Slot) writes.
    pub const MESSAGE_PACK: Self = Self(0);
    /// A Python pickle.
    pub const PICKLE: Self = Self(1);
    /// Bytes without a meaning the library knows.
    pub const OPAQUE: Self = Self(2);

    const SEALED: u8 = 0x80;

    /// This format, sealed.
    #[must_use]
    pub const fn sealed(self) -> Self {
        Self(self.0 | Self::SEALED)
    }

    /// This format without the seal.
    #[must_use]
    pub const fn unsealed(self) -> Self {
        Self(self.0 & !Self::SEALED)
    }

    /// Whether the bytes are sealed.
    #[must_use]
    pub const fn is_sealed(self) -> bool {
        self.0 & Self::SEALED != 0
    }
}

/// One value as it lies in a record.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct RawValue<'a> {
    /// How to read the bytes.
    pub format: ValueFormat,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl std::fmt::Debug for RawValue<'_> {
    /// Format and length; never the bytes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawValue({:?}, {} bytes)", self.format, self.bytes.len())
    }
}

/// Small values live where they stand, without an allocation.
pub(crate) type ValueBytes = SmallVec<[u8; 32]>;

/// A value on its way into a record.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Value {
    pub(crate) format: ValueFormat,
    pub(crate) bytes: ValueBytes,
}

impl Value {
    /// No bytes of MessagePack, to be written.
    pub(crate) fn empty() -> Self {
        Self { format: ValueFormat::MESSAGE_PACK, bytes: ValueBytes::new() }
    }

    pub(crate) fn as_raw(&self) -> RawValue<'_> {
        RawValue { format: self.format, bytes: &self.bytes }
    }
}

impl From<RawValue<'_>> for Value {
    fn from(raw: RawValue<'_>) -> Self {
        Self { format: raw.format, bytes: ValueBytes::from_slice(raw.bytes) }
    }
}
