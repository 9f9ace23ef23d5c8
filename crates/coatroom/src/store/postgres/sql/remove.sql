DELETE FROM {schema}.records
WHERE namespace = $1 AND locator = $2
    AND $3 < deadline AND $3 < last_accessed + idle AND (confirmed OR $3 < unconfirmed)
RETURNING last_accessed, confirmed, checksum, data
