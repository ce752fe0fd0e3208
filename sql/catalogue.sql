-- Every object of schemas public and archive with its definition, as two columns of text: the fingerprint of a schema
-- is made of this, and so is the list of what differs. Runs with an empty search_path, so that all names are qualified.
--
-- It must read the same on every supported major version, and after the schema was dumped and restored or dropped and
-- made again: no oids, no numbers that depend on history, nothing of PostgreSQL 18's catalogued NOT NULL constraints.
-- Members of extensions belong to their extension and are left out.

WITH schemas AS (
    SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('public', 'archive')
), members AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), relations AS (
    SELECT class.*, format('%I.%I', nspname, relname) AS qualified
    FROM pg_class AS class JOIN schemas ON schemas.oid = relnamespace
    WHERE (class.tableoid, class.oid) NOT IN (SELECT classid, objid FROM members)
)

SELECT 'schema ' || quote_ident(nspname) AS object, '' AS definition FROM schemas WHERE nspname <> 'public'

UNION ALL
SELECT
    CASE relkind
        WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
        WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'composite type' ELSE relkind::text
    END || ' ' || qualified,
    concat_ws(
        ', ',
        CASE relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' ELSE 'temporary' END,
        CASE WHEN relkind = 'p' THEN 'partition by ' || pg_get_partkeydef(oid) END,
        pg_get_expr(relpartbound, oid),
        (
            SELECT 'inherits ' || string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
            FROM pg_inherits WHERE inhrelid = oid
        ),
        CASE WHEN relrowsecurity THEN 'row security' END,
        CASE WHEN relforcerowsecurity THEN 'row security forced' END,
        CASE WHEN relkind IN ('r', 'p', 'm') AND relreplident <> 'd' THEN 'replica identity ' || relreplident::text END,
        'with ' || array_to_string(reloptions, ', '),
        CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END
    )
FROM relations
WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c')

-- The place of a column among those that are there now; the catalogue's own number also counts dropped ones.
UNION ALL
SELECT
    'column ' || qualified || '.' || quote_ident(attname),
    concat_ws(
        ' ',
        'at ' || rank() OVER (PARTITION BY attrelid ORDER BY attnum),
        format_type(atttypid, atttypmod),
        CASE WHEN attcollation <> typcollation THEN 'collate ' || attcollation::regcollation::text END,
        CASE WHEN attnotnull THEN 'not null' END,
        CASE attidentity WHEN 'a' THEN 'generated always as identity' WHEN 'd' THEN 'generated as identity' END,
        CASE attgenerated WHEN '' THEN 'default ' ELSE 'generated ' END || pg_get_expr(adbin, adrelid)
    )
FROM relations
JOIN pg_attribute ON attrelid = relations.oid AND attnum > 0 AND NOT attisdropped
JOIN pg_type ON pg_type.oid = atttypid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c')

UNION ALL
SELECT 'constraint ' || qualified || '.' || quote_ident(conname), pg_get_constraintdef(pg_constraint.oid)
FROM relations JOIN pg_constraint ON conrelid = relations.oid
WHERE contype IN ('p', 'u', 'f', 'c', 'x')

-- An index that serves a constraint is described by the constraint.
UNION ALL
SELECT 'index ' || qualified, pg_get_indexdef(relations.oid)
FROM relations
WHERE relkind IN ('i', 'I') AND NOT EXISTS (
    SELECT FROM pg_constraint WHERE conindid = relations.oid AND contype IN ('p', 'u', 'x')
)

UNION ALL
SELECT
    'trigger ' || qualified || '.' || quote_ident(tgname),
    concat_ws(
        ', ', pg_get_triggerdef(pg_trigger.oid), CASE WHEN tgenabled <> 'O' THEN 'enabled ' || tgenabled::text END
    )
FROM relations JOIN pg_trigger ON tgrelid = relations.oid AND NOT tgisinternal

UNION ALL
SELECT 'rule ' || qualified || '.' || quote_ident(rulename), pg_get_ruledef(pg_rewrite.oid)
FROM relations JOIN pg_rewrite ON ev_class = relations.oid AND rulename <> '_RETURN'

UNION ALL
SELECT
    'policy ' || qualified || '.' || quote_ident(polname),
    concat_ws(
        ' ',
        CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END,
        polcmd::text,
        'using ' || pg_get_expr(polqual, polrelid),
        'check ' || pg_get_expr(polwithcheck, polrelid)
    )
FROM relations JOIN pg_policy ON polrelid = relations.oid

UNION ALL
SELECT
    'sequence ' || qualified,
    format(
        '%s start %s by %s from %s to %s cycle %s',
        format_type(seqtypid, NULL), seqstart, seqincrement, seqmin, seqmax, seqcycle
    )
FROM relations JOIN pg_sequence ON seqrelid = relations.oid

UNION ALL
SELECT
    'statistics ' || format('%I.%I', nspname, stxname), pg_get_statisticsobjdef(statistic.oid)
FROM pg_statistic_ext AS statistic JOIN schemas ON schemas.oid = stxnamespace

UNION ALL
SELECT
    'routine ' || format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(routine.oid)),
    concat_ws(
        ' ',
        'returns ' || pg_get_function_result(routine.oid),
        'language ' || lanname,
        CASE provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' END,
        CASE WHEN proisstrict THEN 'strict' END,
        CASE WHEN prosecdef THEN 'security definer' END,
        'set ' || array_to_string(proconfig, ', '),
        'as ' || coalesce(pg_get_function_sqlbody(routine.oid), prosrc)
    )
FROM pg_proc AS routine
JOIN schemas ON schemas.oid = pronamespace
JOIN pg_language ON pg_language.oid = prolang
WHERE (routine.tableoid, routine.oid) NOT IN (SELECT classid, objid FROM members)

UNION ALL
SELECT
    'type ' || format('%I.%I', nspname, typname),
    CASE typtype
        WHEN 'e' THEN 'enum ' || (
            SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
            FROM pg_enum WHERE enumtypid = type.oid
        )
        WHEN 'd' THEN concat_ws(
            ' ',
            'domain over',
            format_type(typbasetype, typtypmod),
            CASE WHEN typnotnull THEN 'not null' END,
            'default ' || typdefault,
            (
                SELECT string_agg(pg_get_constraintdef(pg_constraint.oid), ' ' ORDER BY conname)
                FROM pg_constraint WHERE contypid = type.oid AND contype = 'c'
            )
        )
        ELSE 'range over ' || (SELECT format_type(rngsubtype, NULL) FROM pg_range WHERE rngtypid = type.oid)
    END
FROM pg_type AS type JOIN schemas ON schemas.oid = typnamespace
WHERE typtype IN ('e', 'd', 'r') AND (type.tableoid, type.oid) NOT IN (SELECT classid, objid FROM members)
