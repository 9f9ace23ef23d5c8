-- A transaction that waits for the disk, and with it for all that were acknowledged before.
SELECT pg_catalog.pg_logical_emit_message(true, 'coatroom', '')
