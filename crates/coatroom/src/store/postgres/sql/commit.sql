SELECT outcome, new_last_accessed, new_confirmed, new_checksum, new_data
FROM {schema}.commit_record($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
