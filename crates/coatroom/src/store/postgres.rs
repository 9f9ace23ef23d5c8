//! The PostgreSQL store: many machines, one database.
