SELECT last_accessed, confirmed, checksum, data
FROM {schema}.records
WHERE namespace = $1 AND locator = $2
