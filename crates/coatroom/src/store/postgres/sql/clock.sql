SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint
