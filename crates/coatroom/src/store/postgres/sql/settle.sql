-- Locked in the order of keys first, so that no two of these can wait for each other.
WITH claimed AS MATERIALIZED (
    SELECT r.namespace, r.locator
    FROM {schema}.records r
    JOIN unnest($1::bigint[], $2::uuid[], $3::bigint[]) AS c (namespace, locator, revision)
        ON r.namespace = c.namespace AND r.locator = c.locator AND r.revision = c.revision
    ORDER BY r.namespace, r.locator
    FOR UPDATE OF r
)
DELETE FROM {schema}.records r
USING claimed
WHERE r.namespace = claimed.namespace AND r.locator = claimed.locator
