-- One step in the index for each namespace, however many records there are.
WITH RECURSIVE found AS (
    (SELECT namespace FROM {schema}.records ORDER BY namespace LIMIT 1)
    UNION ALL
    SELECT (
        SELECT r.namespace FROM {schema}.records r WHERE r.namespace > found.namespace
        ORDER BY r.namespace LIMIT 1
    )
    FROM found
    WHERE found.namespace IS NOT NULL
)
SELECT namespace FROM found WHERE namespace IS NOT NULL
