SELECT outcome, old_last_accessed, old_confirmed, old_checksum, old_data
FROM {schema}.create_record($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
