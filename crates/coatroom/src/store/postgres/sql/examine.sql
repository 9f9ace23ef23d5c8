SELECT pg_catalog.current_setting('server_version'),
    pg_catalog.current_setting('fsync'),
    pg_catalog.current_setting('full_page_writes'),
    pg_catalog.current_setting('synchronous_commit'),
    pg_catalog.current_setting('autovacuum'),
    CASE r.relpersistence WHEN 'p' THEN 'permanent' ELSE 'unlogged' END,
    pg_catalog.pg_total_relation_size(r.oid) + pg_catalog.pg_total_relation_size('{schema}.epochs'),
    coalesce(s.n_dead_tup, 0)::bigint,
    coalesce(s.n_live_tup, 0)::bigint,
    pg_catalog.current_setting('max_connections'),
    (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication)::bigint
FROM pg_catalog.pg_class r
LEFT JOIN pg_catalog.pg_stat_user_tables s ON s.relid = r.oid
WHERE r.oid = '{schema}.records'::pg_catalog.regclass
