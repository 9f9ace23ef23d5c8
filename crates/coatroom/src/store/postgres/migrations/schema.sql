-- PostgreSQL looks in the schema of a role's name first for whatever the role names. Made beside tables that
-- the role has in public, it would take up those that it makes next: RelStorage, for one, would make a
-- second sequence of object ids there, and give them out again.
DO $check$ BEGIN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_class AS relation
        JOIN pg_catalog.pg_namespace AS place ON place.oid OPERATOR(pg_catalog.=) relation.relnamespace
        JOIN pg_catalog.pg_roles AS owner ON owner.oid OPERATOR(pg_catalog.=) relation.relowner
        WHERE place.nspname OPERATOR(pg_catalog.=) 'public'
            AND owner.rolname::text OPERATOR(pg_catalog.=) (pg_catalog.parse_ident('{schema}'))[1]
    ) AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_namespace AS place
        WHERE place.nspname::text OPERATOR(pg_catalog.=) (pg_catalog.parse_ident('{schema}'))[1]
    ) THEN
        RAISE EXCEPTION 'a role of the name of the schema has tables in public' USING ERRCODE = 'CR001';
    END IF;
END $check$;
CREATE SCHEMA IF NOT EXISTS {schema};
