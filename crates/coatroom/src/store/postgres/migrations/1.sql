-- Records. All times are milliseconds since 1970-01-01 00:00 UTC; 2^63-1 never comes.
CREATE TABLE IF NOT EXISTS {schema}.records (
    namespace     bigint  NOT NULL, -- the application: the first 8 bytes of a hash of its name
    revision      bigint  NOT NULL, -- all 64 bits of it, so that it may look negative
    deadline      bigint  NOT NULL, -- the end of the lifetime
    idle          bigint  NOT NULL, -- the idle timeout, at most 2^62-1
    unconfirmed   bigint  NOT NULL, -- the end of a session that was never presented back
    last_accessed bigint  NOT NULL, -- at most 2^62-1
    due           bigint  NOT NULL, -- when a sweep looks at it: at its end or before, or when its lease ends
    checksum      integer NOT NULL, -- CRC-32C of data
    confirmed     boolean NOT NULL, -- whether it was ever presented back
    locator       uuid    NOT NULL,
    principal     bytea,            -- UTF-8, and bytes because text takes no U+0000
    data          bytea   NOT NULL, -- the record, as docs/format.md tells
    PRIMARY KEY (namespace, locator)
) WITH (fillfactor = 70); -- room for the new version of a row beside the old one, see below

-- Large records are compressed nowhere: they are rewritten with each commit.
ALTER TABLE {schema}.records ALTER COLUMN data SET STORAGE EXTERNAL;

-- Neither a touch nor a usual commit changes an indexed column, so that both are heap-only updates.
CREATE INDEX IF NOT EXISTS records_principal ON {schema}.records (namespace, principal)
    WHERE principal IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_due ON {schema}.records (namespace, due);

-- How often all sessions of a principal were ended.
CREATE TABLE IF NOT EXISTS {schema}.epochs (
    namespace bigint NOT NULL,
    epoch     bigint NOT NULL,
    principal bytea  NOT NULL,
    PRIMARY KEY (namespace, principal)
);

-- Keeps a record where no live one is. Outcome 0: there is a live one. 1: kept. 2: kept in the place of
-- a dead one, which is returned. 3: the same, and a sweep that has leased the dead one reports it.
CREATE OR REPLACE FUNCTION {schema}.create_record(
    p_namespace bigint, p_locator uuid, p_now bigint, p_revision bigint, p_principal bytea,
    p_deadline bigint, p_idle bigint, p_unconfirmed bigint, p_last_accessed bigint, p_confirmed boolean,
    p_due bigint, p_checksum integer, p_data bytea,
    OUT outcome integer, OUT old_last_accessed bigint, OUT old_confirmed boolean, OUT old_checksum integer,
    OUT old_data bytea
) LANGUAGE plpgsql AS $$
DECLARE
    old_due bigint;
BEGIN
    LOOP
        INSERT INTO {schema}.records AS r (namespace, locator, revision, principal, deadline, idle, unconfirmed,
            last_accessed, confirmed, due, checksum, data)
        VALUES (p_namespace, p_locator, p_revision, p_principal, p_deadline, p_idle, p_unconfirmed,
            p_last_accessed, p_confirmed, p_due, p_checksum, p_data)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            outcome := 1;
            RETURN;
        END IF;
        SELECT r.last_accessed, r.confirmed, r.checksum, r.data, r.due
        INTO old_last_accessed, old_confirmed, old_checksum, old_data, old_due
        FROM {schema}.records r
        WHERE r.namespace = p_namespace AND r.locator = p_locator
            AND NOT (p_now < r.deadline AND p_now < r.last_accessed + r.idle
                AND (r.confirmed OR p_now < r.unconfirmed))
        FOR UPDATE;
        IF FOUND THEN
            UPDATE {schema}.records r
            SET revision = p_revision, principal = p_principal, deadline = p_deadline, idle = p_idle,
                unconfirmed = p_unconfirmed, last_accessed = p_last_accessed, confirmed = p_confirmed,
                due = p_due, checksum = p_checksum, data = p_data
            WHERE r.namespace = p_namespace AND r.locator = p_locator;
            outcome := CASE WHEN old_due > p_now THEN 3 ELSE 2 END;
            RETURN;
        END IF;
        PERFORM FROM {schema}.records r WHERE r.namespace = p_namespace AND r.locator = p_locator;
        IF FOUND THEN
            outcome := 0;
            RETURN;
        END IF;
        -- It was there and is gone: once more.
    END LOOP;
END $$;

-- Replaces the live record of the expected revision. Outcome 0: there is no live record. 1: replaced.
-- 2: another commit was first; the newest record is returned. Each statement of a function sees what was
-- committed before it, so that the second one finds what the first one had to wait for.
CREATE OR REPLACE FUNCTION {schema}.commit_record(
    p_namespace bigint, p_locator uuid, p_now bigint, p_expected bigint, p_revision bigint,
    p_principal bytea, p_deadline bigint, p_idle bigint, p_unconfirmed bigint, p_last_accessed bigint,
    p_confirmed boolean, p_checksum integer, p_data bytea,
    OUT outcome integer, OUT new_last_accessed bigint, OUT new_confirmed boolean, OUT new_checksum integer,
    OUT new_data bytea
) LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        UPDATE {schema}.records r
        SET revision = p_revision, principal = p_principal, deadline = p_deadline, idle = p_idle,
            unconfirmed = p_unconfirmed, last_accessed = greatest(r.last_accessed, p_last_accessed),
            confirmed = r.confirmed OR p_confirmed, checksum = p_checksum, data = p_data,
            due = least(r.due, p_deadline, greatest(r.last_accessed, p_last_accessed) + p_idle,
                CASE WHEN r.confirmed OR p_confirmed THEN p_deadline ELSE p_unconfirmed END)
        WHERE r.namespace = p_namespace AND r.locator = p_locator AND r.revision = p_expected
            AND p_now < r.deadline AND p_now < r.last_accessed + r.idle
            AND (r.confirmed OR p_now < r.unconfirmed);
        IF FOUND THEN
            outcome := 1;
            RETURN;
        END IF;
        SELECT CASE WHEN r.revision = p_expected THEN -1 ELSE 2 END,
            r.last_accessed, r.confirmed, r.checksum, r.data
        INTO outcome, new_last_accessed, new_confirmed, new_checksum, new_data
        FROM {schema}.records r
        WHERE r.namespace = p_namespace AND r.locator = p_locator
            AND p_now < r.deadline AND p_now < r.last_accessed + r.idle
            AND (r.confirmed OR p_now < r.unconfirmed);
        IF NOT FOUND THEN
            outcome := 0;
        END IF;
        -- Where it has become the expected one between the two statements: once more.
        EXIT WHEN outcome >= 0;
    END LOOP;
END $$;

-- Moves the activity of a live record forward. The answer does not wait for the disk, in this one
-- transaction: what a crash of the server may cost is the extension of some sessions.
CREATE OR REPLACE FUNCTION {schema}.touch_record(
    p_namespace bigint, p_locator uuid, p_last_accessed bigint, p_confirmed boolean
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_catalog.set_config('synchronous_commit', 'off', true);
    UPDATE {schema}.records r
    SET last_accessed = greatest(r.last_accessed, p_last_accessed), confirmed = r.confirmed OR p_confirmed
    WHERE r.namespace = p_namespace AND r.locator = p_locator
        AND (r.last_accessed < p_last_accessed OR p_confirmed AND NOT r.confirmed)
        AND p_last_accessed < r.deadline AND p_last_accessed < r.last_accessed + r.idle
        AND (r.confirmed OR p_last_accessed < r.unconfirmed);
END $$;
