SELECT locator, last_accessed, confirmed, checksum, data
FROM {schema}.records
WHERE namespace = $1 AND locator >= $2
    AND $3 < deadline AND $3 < last_accessed + idle AND (confirmed OR $3 < unconfirmed)
ORDER BY locator
LIMIT $4
