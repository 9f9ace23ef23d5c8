-- What is due: the dead are leased and returned, the others filed under their new end. Rows that another
-- transaction works on are passed over, so that no two sweeps share a record. The last row tells how many
-- were due, so that one knows whether some were passed over.
WITH found AS MATERIALIZED (
    SELECT namespace, locator
    FROM {schema}.records
    WHERE namespace = $1 AND due <= $2
    ORDER BY due
    LIMIT $4
    FOR UPDATE SKIP LOCKED
), filed AS (
    UPDATE {schema}.records r
    SET due = CASE
        WHEN $2 < r.deadline AND $2 < r.last_accessed + r.idle AND (r.confirmed OR $2 < r.unconfirmed)
        THEN least(r.deadline, r.last_accessed + r.idle, CASE WHEN NOT r.confirmed THEN r.unconfirmed END)
        ELSE $3
        END
    FROM found
    WHERE r.namespace = found.namespace AND r.locator = found.locator
    RETURNING r.locator, r.last_accessed, r.confirmed, r.checksum,
        CASE
        WHEN NOT ($2 < r.deadline AND $2 < r.last_accessed + r.idle AND (r.confirmed OR $2 < r.unconfirmed))
        THEN r.data
        END AS data
)
SELECT locator, last_accessed, confirmed, checksum, data, NULL::pg_catalog.int8 AS due FROM filed
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, count(*)
FROM (SELECT FROM {schema}.records WHERE namespace = $1 AND due <= $2 LIMIT $4) AS seen
