//! The schema of the database, and how it comes to be.
//!
//! Each migration is applied once, in order, in one transaction with those behind it. Nodes that
//! start together take turns by an advisory lock; a node that finds everything there writes nothing,
//! so that its user need not be allowed to.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

use super::statement::Schema;

/// All migrations; the number of one is its place, from 1. Each may be run again without harm, for
/// administrators who run the whole script again.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/1.sql")];

const BEGIN: &str = include_str!("migrations/begin.sql");

/// The newest format known here.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // a handful
pub(super) const NEWEST: i32 = MIGRATIONS.len() as i32;

/// Names the lock among those of other programs on the database: "coatroom", in bytes.
const LOCK: i64 = i64::from_be_bytes(*b"coatroom");

/// Brings the schema up to date; the version that it then has.
pub(super) async fn migrate(client: &mut Client, schema: &Schema) -> Result<i32, Error> {
    let found = version(client, schema).await?;
    if found >= NEWEST {
        return Ok(found);
    }
    let transaction = client.transaction().await?;
    transaction.execute_typed("SELECT pg_catalog.pg_advisory_xact_lock($1)", &[(&LOCK, Type::INT8)]).await?;
    // Somebody may have been first.
    let found = version(transaction.client(), schema).await?;
    if found < NEWEST {
        let begin = if has_schema(transaction.client(), schema).await? { "" } else { CREATE_SCHEMA };
        transaction.batch_execute(&schema.fill(&format!("{begin}{BEGIN}"))).await?;
        for (number, migration) in (1..).zip(MIGRATIONS) {
            if number > found {
                transaction.batch_execute(&schema.fill(&format!("{migration}{}", applied(number)))).await?;
            }
        }
    }
    transaction.commit().await?;
    Ok(found.max(NEWEST))
}

const CREATE_SCHEMA: &str = include_str!("migrations/schema.sql");

/// SQLSTATE of that script where the schema would hide the tables of a role of its name.
pub(super) const HIDES_TABLES: &str = "CR001";

fn applied(number: i32) -> String {
    format!("INSERT INTO {{schema}}.migrations (version) VALUES ({number}) ON CONFLICT DO NOTHING;\n")
}

/// The newest migration that was applied; 0 where there is nothing yet.
async fn version(client: &Client, schema: &Schema) -> Result<i32, Error> {
    let table = schema.fill("{schema}.migrations");
    let found = "SELECT pg_catalog.to_regclass($1) IS NOT NULL";
    if !client.query_typed_one(found, &[(&table, Type::TEXT)]).await?.try_get(0)? {
        return Ok(0);
    }
    let newest = format!("SELECT coalesce(max(version), 0) FROM {table}");
    client.query_typed_one(&newest, &[]).await?.try_get(0)
}

async fn has_schema(client: &Client, schema: &Schema) -> Result<bool, Error> {
    let found = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)";
    client.query_typed_one(found, &[(&schema.name(), Type::TEXT)]).await?.try_get(0)
}

/// All of it as a script.
pub(super) fn script(schema: &Schema, user: Option<&str>) -> String {
    let mut script =
        format!("BEGIN;\nSELECT pg_catalog.pg_advisory_xact_lock({LOCK});\n{CREATE_SCHEMA}{BEGIN}");
    for (number, migration) in (1..).zip(MIGRATIONS) {
        script.push_str(migration);
        script.push_str(&applied(number));
    }
    if let Some(user) = user {
        let user = format!("\"{}\"", user.replace('"', "\"\""));
        script.push_str(&format!(
            "GRANT USAGE ON SCHEMA {{schema}} TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON {{schema}}.records, {{schema}}.epochs TO {user};
GRANT SELECT ON {{schema}}.migrations TO {user};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {{schema}} TO {user};
"
        ));
    }
    script.push_str("COMMIT;\n");
    schema.fill(&script)
}
