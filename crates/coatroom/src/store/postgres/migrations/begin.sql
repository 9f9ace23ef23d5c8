-- Which migrations were applied.
CREATE TABLE IF NOT EXISTS {schema}.migrations (
    version integer PRIMARY KEY,
    applied timestamptz NOT NULL DEFAULT pg_catalog.now()
);
