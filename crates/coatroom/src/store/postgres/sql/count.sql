SELECT count(*)
FROM {schema}.records
WHERE namespace = $1
    AND $2 < deadline AND $2 < last_accessed + idle AND (confirmed OR $2 < unconfirmed)
