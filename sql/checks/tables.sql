-- Proves that tables are as the rules of 0001 promise, or raises an exception that names what is not. Included by the
-- .verify.sql files, which set
--   tables   every table of the migration, with its schema
--   stamped  those of them whose updated_at a trigger keeps
--   granted  those of them the application writes and reports read
-- It only reads, so that it may run at any time.

DO $check$
DECLARE
    tables  constant text[] := {{ literal(tables) }};
    stamped constant text[] := {{ literal(stamped) }};
    granted constant text[] := {{ literal(granted) }};
    wrong   text;
BEGIN
    SELECT string_agg(name, ', ' ORDER BY name) INTO wrong
    FROM unnest(tables) AS name
    WHERE to_regclass(name) IS NULL;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'missing tables: %', wrong;
    END IF;

    SELECT string_agg(name, ', ' ORDER BY name) INTO wrong
    FROM unnest(tables) AS name
    WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = name::regclass AND contype = 'p');
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'tables without a primary key: %', wrong;
    END IF;

    SELECT string_agg(format('%s.%I', name, attname), ', ' ORDER BY name, attname) INTO wrong
    FROM unnest(tables) AS name
    JOIN pg_attribute ON attrelid = name::regclass AND attnum > 0 AND NOT attisdropped
    WHERE attname ~ '(^|_)id$'
        AND (atttypid <> 'text'::regtype OR attcollation <> '"C"'::regcollation);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'ids that are not text COLLATE "C": %', wrong;
    END IF;

    -- A partial index serves a foreign key if it holds every row that refers to something.
    SELECT string_agg(format('%s.%I', name, conname), ', ' ORDER BY name, conname) INTO wrong
    FROM unnest(tables) AS name
    JOIN pg_constraint ON conrelid = name::regclass AND contype = 'f'
    JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE NOT EXISTS (
        SELECT FROM pg_index
        WHERE indrelid = conrelid
            AND indkey[0] = conkey[1]
            AND indisvalid
            AND coalesce(pg_get_expr(indpred, indrelid), '') IN ('', format('(%I IS NOT NULL)', attname))
    );
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'foreign keys that lead no index: %', wrong;
    END IF;

    SELECT string_agg(format('%s.%I', name, conname), ', ' ORDER BY name, conname) INTO wrong
    FROM unnest(tables) AS name
    JOIN pg_constraint ON conrelid = name::regclass AND NOT convalidated;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'constraints that were never validated: %', wrong;
    END IF;

    SELECT string_agg(indexrelid::regclass::text, ', ' ORDER BY indexrelid::regclass::text) INTO wrong
    FROM unnest(tables) AS name
    JOIN pg_index ON indrelid = name::regclass AND NOT (indisvalid AND indisready);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'invalid indexes: %', wrong;
    END IF;

    SELECT string_agg(name, ', ' ORDER BY name) INTO wrong
    FROM unnest(stamped) AS name
    WHERE NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = name::regclass AND tgfoid = to_regproc('public.set_updated_at') AND tgenabled = 'O'
    );
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'tables whose updated_at no trigger keeps: %', wrong;
    END IF;

    SELECT string_agg(name, ', ' ORDER BY name) INTO wrong
    FROM unnest(granted) AS name
    WHERE NOT (
        has_table_privilege({{ literal(application_role) }}, name, 'SELECT')
        AND has_table_privilege({{ literal(application_role) }}, name, 'INSERT')
        AND has_table_privilege({{ literal(application_role) }}, name, 'UPDATE')
        AND has_table_privilege({{ literal(application_role) }}, name, 'DELETE')
        AND has_any_column_privilege({{ literal(readonly_role) }}, name, 'SELECT')
    );
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'tables the application or the reports may not use: %', wrong;
    END IF;

    SELECT string_agg(name, ', ' ORDER BY name) INTO wrong
    FROM unnest(tables) AS name
    WHERE has_table_privilege({{ literal(readonly_role) }}, name, 'INSERT, UPDATE, DELETE, TRUNCATE')
        OR has_any_column_privilege({{ literal(readonly_role) }}, name, 'INSERT, UPDATE');
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'tables the reports may write to: %', wrong;
    END IF;
END
$check$;
