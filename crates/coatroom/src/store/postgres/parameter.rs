//! Values as they travel to the database and back.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};

use crate::clock::{Timestamp, millis};
use crate::error::StoreError;
use crate::id::{Key, Locator, Namespace};
use crate::record::{Activity, Record};
use crate::store::network::check_record;

type Failure = Box<dyn Error + Sync + Send>;

/// What a statement is told. The driver may write these to a debug log, so `Debug` shows no value.
pub(super) enum Parameter {
    Number(i64),
    Numbers(Vec<i64>),
    Checksum(u32),
    Flag(bool),
    Locator(Locator),
    Locators(Vec<Locator>),
    Principal(Option<Box<str>>),
    /// The bytes of the record.
    Data(Record),
}

impl Parameter {
    pub(super) fn type_(&self) -> Type {
        match self {
            Self::Number(_) => Type::INT8,
            Self::Numbers(_) => Type::INT8_ARRAY,
            Self::Checksum(_) => Type::INT4,
            Self::Flag(_) => Type::BOOL,
            Self::Locator(_) => Type::UUID,
            Self::Locators(_) => Type::UUID_ARRAY,
            Self::Principal(_) | Self::Data(_) => Type::BYTEA,
        }
    }

    pub(super) fn namespace(namespace: Namespace) -> Self {
        Self::Number(i64::from_be_bytes(*namespace.as_bytes()))
    }

    /// All 64 bits.
    pub(super) fn bits(number: u64) -> Self {
        Self::Number(number.cast_signed())
    }

    /// A point that may never come.
    pub(super) fn point(at: Timestamp) -> Self {
        Self::Number(i64::try_from(at.as_millis()).unwrap_or(i64::MAX))
    }

    /// A point that something is compared with: before all that never comes.
    pub(super) fn now(at: Timestamp) -> Self {
        Self::Number(i64::try_from(at.as_millis()).unwrap_or(FAR).min(FAR - 1))
    }

    pub(super) fn last_accessed(at: Timestamp) -> Self {
        Self::Number(i64::try_from(at.as_millis()).unwrap_or(FAR).min(FAR))
    }

    pub(super) fn idle(timeout: Duration) -> Self {
        Self::Number(i64::try_from(millis(timeout)).unwrap_or(FAR).min(FAR))
    }

    /// Saturating: any limit is one.
    pub(super) fn limit(limit: usize) -> Self {
        Self::Number(i64::try_from(limit).unwrap_or(i64::MAX))
    }

    pub(super) fn principal(principal: &str) -> Self {
        Self::Principal(Some(principal.into()))
    }
}

/// The most that a last access and an idle timeout may be, so that their sum is within 64 bits.
const FAR: i64 = (1 << 62) - 1;

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.type_())
    }
}

impl ToSql for Parameter {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match self {
            Self::Number(number) => number.to_sql(ty, out),
            Self::Numbers(numbers) => numbers.to_sql(ty, out),
            Self::Checksum(checksum) => checksum.cast_signed().to_sql(ty, out),
            Self::Flag(flag) => flag.to_sql(ty, out),
            Self::Locator(locator) => Uuid(*locator).to_sql(ty, out),
            Self::Locators(locators) => {
                locators.iter().copied().map(Uuid).collect::<Vec<_>>().to_sql(ty, out)
            }
            Self::Principal(principal) => principal.as_deref().map(str::as_bytes).to_sql(ty, out),
            Self::Data(record) => record.bytes().to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        if *ty != self.type_() {
            return Err(format!("a parameter of type {ty} was given {self:?}").into());
        }
        self.to_sql(ty, out)
    }
}

/// A locator as the database has it. The order of both is that of their bytes.
#[derive(Debug)]
struct Uuid(Locator);

impl ToSql for Uuid {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::UUID
    }

    tokio_postgres::types::to_sql_checked!();
}

impl FromSql<'_> for Uuid {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Failure> {
        Ok(Self(Locator::from_bytes(raw.try_into()?)))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::UUID
    }
}

/// The parameters that describe a record to `create_record` and `commit_record`, from its revision
/// to its activity.
pub(super) fn describe(record: &Record) -> [Parameter; 7] {
    let activity = record.activity();
    let unconfirmed = record.unconfirmed_timeout().map_or(Timestamp::NEVER, |t| record.created() + t);
    [
        Parameter::bits(record.revision()),
        Parameter::Principal(record.principal().map(Into::into)),
        Parameter::point(record.deadline()),
        Parameter::idle(record.idle_timeout()),
        Parameter::point(unconfirmed),
        Parameter::last_accessed(activity.last_accessed),
        Parameter::Flag(activity.confirmed),
    ]
}

/// The locator in this column.
pub(super) fn read_locator(row: &Row, column: usize) -> Result<Locator, StoreError> {
    row.try_get::<_, Uuid>(column).map(|uuid| uuid.0).map_err(unreadable)
}

/// The record in the four columns from this one on: last access, confirmed, checksum, data.
pub(super) fn read_record(key: Key, row: &Row, column: usize) -> Result<Record, StoreError> {
    let last_accessed: i64 = row.try_get(column).map_err(unreadable)?;
    let confirmed = row.try_get(column + 1).map_err(unreadable)?;
    let checksum: i32 = row.try_get(column + 2).map_err(unreadable)?;
    let data: &[u8] = row.try_get(column + 3).map_err(unreadable)?;
    let last_accessed = Timestamp::from_millis(u64::try_from(last_accessed).unwrap_or(0));
    check_record(key, Activity { last_accessed, confirmed }, checksum.cast_unsigned(), data)
}

/// A number in this column.
pub(super) fn read_number(row: &Row, column: usize) -> Result<i64, StoreError> {
    row.try_get(column).map_err(unreadable)
}

/// What a function says became of a record.
pub(super) fn read_outcome(row: &Row) -> Result<i32, StoreError> {
    row.try_get(0).map_err(unreadable)
}

/// Somebody has changed the tables or functions.
pub(super) fn unreadable(error: tokio_postgres::Error) -> StoreError {
    StoreError::unavailable_because(
        "reading the answer of the session store's database failed: its tables or functions were changed; restore them from a backup, or name another schema",
        error,
    )
}
