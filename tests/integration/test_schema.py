"""The schema keeps the promises of the plan: what is there, what refers to what, and what its queries need."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from migration_samples import backup, connected, run, value
from servers import PostgresServer

from ops import migrations
from ops.database import Connection
from ops.schema.fingerprint import read_catalogue
from ops.stack import Stack

PLANNED = {
    *("users", "organizations", "organization_members", "teams", "team_members", "projects"),
    *("conversations", "conversation_participants", "messages", "message_reactions", "notifications"),
    *("project_members", "project_milestones", "files", "file_permissions"),
    *("invoices", "time_entries", "service_packages", "client_requests", "portfolios", "portfolio_items"),
}
PRESERVED = {"tasks", "task_comments", "project_activities", "team_invites"}
STAMPED = {
    *("users", "organizations", "teams", "projects", "conversations", "project_milestones", "files", "invoices"),
    *("time_entries", "service_packages", "client_requests", "portfolios", "tasks"),
}


@pytest.fixture
def migrated(stack: Stack) -> Stack:
    """A stack whose database has the newest schema and no rows."""
    migrations.migrate(stack, backup=backup)
    return stack


@pytest.fixture
def database(migrated: Stack) -> Iterator[Connection]:
    """A connection to it that commits nothing."""
    with connected(migrated) as connection, connection.transaction(force_rollback=True):
        yield connection


def rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    """All rows of a query."""
    return connection.execute(query.encode()).fetchall()


def insert_studio(connection: Connection) -> None:
    """One of each of the things everything else refers to."""
    connection.execute(
        """
        INSERT INTO users (id, email, name, user_type) VALUES ('u1', 'ada@studio.test', 'Ada', 'admin');
        INSERT INTO organizations (id, name, slug, type, created_by) VALUES ('o1', 'Studio', 'studio', 'agency', 'u1');
        INSERT INTO projects (id, name, slug, organization_id, manager_id, project_type, service_category, service_tier,
            ensemble_type) VALUES ('p1', 'Show', 'show', 'o1', 'u1', 'design', 'design', 'standard', 'band');
        INSERT INTO conversations (id, type, created_by, project_id) VALUES ('c1', 'project', 'u1', 'p1');
        """
    )


def test_there_are_the_planned_tables_and_those_that_keep_the_rest(database: Connection) -> None:
    public = {name for (name,) in rows(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    archive = {name for (name,) in rows(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'archive'")}

    assert len(PLANNED) == 21
    assert public == PLANNED | PRESERVED
    assert archive == {"files", "documents"}


def test_every_table_has_an_id_that_makes_itself(database: Connection) -> None:
    first = rows(
        database,
        """
        SELECT DISTINCT column_name, data_type, is_nullable, column_default FROM information_schema.columns
        WHERE table_schema = 'public' AND ordinal_position = 1
        """,
    )

    assert first == [("id", "text", "NO", "(gen_random_uuid())::text")]


def test_nothing_cuts_what_the_files_hold(database: Connection) -> None:
    limited = rows(
        database,
        """
        SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace IN ('public'::regnamespace, 'archive'::regnamespace) AND relkind = 'r' AND atttypmod <> -1
        """,
    )
    assert limited == []


def test_every_reference_and_id_compares_by_bytes(database: Connection) -> None:
    others = rows(
        database,
        """
        SELECT attrelid::regclass::text, attname
        FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid AND relkind = 'r' AND relnamespace = 'public'::regnamespace
        LEFT JOIN pg_constraint ON conrelid = attrelid AND contype = 'f' AND conkey = ARRAY[attnum]
        WHERE attnum > 0 AND (conname IS NOT NULL OR attname ~ '(^|_)id$')
            AND (atttypid <> 'text'::regtype OR attcollation <> '"C"'::regcollation)
        """,
    )
    assert others == []


def test_every_foreign_key_leads_an_index_that_holds_all_references(database: Connection) -> None:
    unindexed = rows(
        database,
        """
        SELECT conrelid::regclass::text, conname FROM pg_constraint
        JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
        WHERE contype = 'f' AND connamespace <> 'pg_catalog'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1]
                AND coalesce(pg_get_expr(indpred, indrelid), '') IN ('', format('(%I IS NOT NULL)', attname))
        )
        """,
    )
    assert unindexed == []


def test_no_index_is_a_duplicate_or_a_prefix_of_another(database: Connection) -> None:
    superfluous = rows(
        database,
        """
        SELECT one.indexrelid::regclass::text, other.indexrelid::regclass::text
        FROM pg_index AS one
        JOIN pg_class ON pg_class.oid = one.indrelid AND relnamespace <> 'pg_catalog'::regnamespace
        JOIN pg_class AS method ON method.oid = one.indexrelid
        JOIN pg_index AS other ON other.indrelid = one.indrelid AND other.indexrelid <> one.indexrelid
        WHERE NOT one.indisunique AND one.indexprs IS NULL
            AND method.relam = (SELECT oid FROM pg_am WHERE amname = 'btree')
            AND other.indkey::text || ' ' LIKE one.indkey::text || ' %'
            AND one.indclass[0] = other.indclass[0]
            AND pg_get_expr(one.indpred, one.indrelid) IS NOT DISTINCT FROM pg_get_expr(other.indpred, other.indrelid)
        """,
    )
    assert superfluous == []


def test_triggers_keep_updated_at_where_the_plan_wants_it(database: Connection) -> None:
    stamped = {
        name for (name,) in rows(database, "SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
    }

    assert stamped == STAMPED


def test_a_change_stamps_the_row_unless_it_brings_its_own_time(migrated: Stack) -> None:
    then = "2020-02-02 02:02:02+00"
    with connected(migrated) as connection:
        insert_studio(connection)
        connection.execute(f"UPDATE users SET updated_at = '{then}'".encode())
        (kept,) = rows(connection, f"SELECT updated_at = '{then}' FROM users")[0]
        connection.execute("UPDATE users SET name = 'Grace'")
        (stamped,) = rows(connection, "SELECT updated_at > now() - interval '1 hour' FROM users")[0]
        connection.execute(f"UPDATE users SET name = 'Ada', updated_at = '{then}'".encode())
        (brought,) = rows(connection, f"SELECT updated_at = '{then}' FROM users")[0]

    assert (kept, stamped, brought) == (True, True, True)


def test_a_user_who_is_referred_to_cannot_be_deleted(database: Connection) -> None:
    insert_studio(database)

    with pytest.raises(psycopg.errors.ForeignKeyViolation), database.transaction():
        database.execute("DELETE FROM users")


def test_with_an_organization_goes_all_that_is_part_of_it(database: Connection) -> None:
    insert_studio(database)
    database.execute("INSERT INTO messages (conversation_id, author_id, content) VALUES ('c1', 'u1', 'hello')")

    database.execute("DELETE FROM organizations")

    assert rows(database, "SELECT (SELECT count(*) FROM projects), (SELECT count(*) FROM messages)") == [(0, 0)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET user_type = 'owner'",
        "UPDATE projects SET status = 'in_progress'",
        "UPDATE projects SET priority = 'critical'",
        "UPDATE conversations SET type = 'channel'",
        "INSERT INTO tasks (project_id, title, status) VALUES ('p1', 't', 'done')",
        "INSERT INTO file_permissions (file_id, permission_type, granted_by) VALUES ('f', 'read', 'u1')",
    ],
)
def test_what_is_outside_a_vocabulary_is_not_taken(database: Connection, statement: str) -> None:
    insert_studio(database)

    with pytest.raises(psycopg.errors.CheckViolation), database.transaction():
        database.execute(statement.encode())


def test_a_message_of_any_length_is_taken(database: Connection) -> None:
    insert_studio(database)
    words = " ".join(f"word{number}-part{number}" for number in range(400_000))

    database.execute(
        "INSERT INTO messages (conversation_id, author_id, content) VALUES ('c1', 'u1', %s), ('c1', 'u1', %s)",
        (words, "x" * 9_000_000),
    )

    assert rows(database, "SELECT max(length(content)) FROM messages") == [(max(len(words), 9_000_000),)]


@pytest.mark.parametrize("alphabet", ["ascii", "wide"])
def test_the_most_word_like_beginning_of_a_message_is_never_too_much(database: Connection, alphabet: str) -> None:
    # Distinct compound words make the largest vectors; what is indexed is cut before they can grow too large.
    insert_studio(database)
    first = ord("a") if alphabet == "ascii" else 0x20000
    words = "-".join(
        chr(first + number % 26) + chr(first + number // 26 % 26) + chr(first + number // 676)
        for number in range(17_000)
    )

    database.execute("INSERT INTO messages (conversation_id, author_id, content) VALUES ('c1', 'u1', %s)", (words,))


QUERIES = {
    "messages_conversation_id_created_at_index": (
        "SELECT * FROM messages WHERE conversation_id = 'c1' ORDER BY created_at DESC, id LIMIT 50"
    ),
    "messages_content_words_index": (
        "SELECT * FROM messages "
        "WHERE to_tsvector('english', left(content, 100000)) @@ plainto_tsquery('english', 'light rehearsal')"
    ),
    "messages_content_trigrams_index": "SELECT * FROM messages WHERE content ILIKE '%hearsa%'",
    "conversation_participants_user_id_conversation_id_index": (
        "SELECT conversation_id, last_read_at FROM conversation_participants WHERE user_id = 'u1'"
    ),
    "notifications_unread_index": "SELECT count(*) FROM notifications WHERE user_id = 'u1' AND is_read = false",
    "notifications_user_id_created_at_index": (
        "SELECT * FROM notifications WHERE user_id = 'u1' ORDER BY created_at DESC LIMIT 20"
    ),
    "projects_organization_id_status_index": (
        "SELECT * FROM projects WHERE organization_id = 'o1' AND status = 'active' ORDER BY created_at DESC"
    ),
    "project_members_user_id_project_id_index": (
        "SELECT project_id FROM project_members WHERE user_id = 'u1' ORDER BY project_id"
    ),
    "files_name_description_trigrams_index": (
        "SELECT * FROM files WHERE name ILIKE '%poster%' OR description ILIKE '%poster%'"
    ),
    "files_organization_id_created_at_index": (
        "SELECT * FROM files WHERE organization_id = 'o1' ORDER BY created_at DESC LIMIT 50"
    ),
    "invoices_invoice_number_prefix_index": "SELECT count(*) FROM invoices WHERE invoice_number LIKE 'FS-202601-%'",
    "invoices_stripe_payment_intent_id_index": "SELECT * FROM invoices WHERE stripe_payment_intent_id = 'pi_1'",
    "messages_reply_to_id_index": "SELECT * FROM messages WHERE reply_to_id = 'm1'",
    "documents_entity_id_index": "SELECT document FROM archive.documents WHERE entity = 'users' AND id = 'u1'",
}


def test_the_applications_queries_find_their_indexes(database: Connection) -> None:
    # An empty table is read in one piece unless that is made to look dear.
    database.execute("SET LOCAL enable_seqscan = off")
    database.execute("SET LOCAL enable_sort = off")

    for index, query in QUERIES.items():
        (plan,) = rows(database, f"EXPLAIN (FORMAT json) {query}")[0]
        assert f'"{index}"' in json.dumps(plan), f"{query} does not use {index}"


def test_the_roles_may_do_what_they_are_for_and_no_more(migrated: Stack, postgres_server: PostgresServer) -> None:
    with postgres_server.superuser(migrated.contract.database_name) as connection:
        insert_studio(connection)
        connection.execute("SET ROLE fluxstudio_application")
        connection.execute("UPDATE users SET password_hash = 'x'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT FROM archive.documents")
        connection.execute("SET ROLE fluxstudio_readonly")
        assert rows(connection, "SELECT name, (SELECT count(*) FROM tasks) FROM users") == [("Ada", 0)]
        for forbidden in ("SELECT password_hash FROM users", "DELETE FROM tasks", "SELECT FROM archive.documents"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden.encode())


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("CREATE INDEX extra ON users (name)", "index public.extra is there and should not be"),
        ("DROP INDEX messages_author_id_index", "index public.messages_author_id_index is missing"),
        ("ALTER TABLE users ALTER timezone SET DEFAULT 'UTC'", "column public.users.timezone is at 8 text default"),
        ("ALTER TABLE users DROP CONSTRAINT users_user_type_check", "constraint public.users.users_user_type_check is"),
        ("ALTER TABLE users DISABLE TRIGGER users_set_updated_at", "enabled D; it should be"),
        (
            "CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "routine",
        ),
        ("CREATE TYPE mood AS ENUM ('good', 'bad')", "type public.mood is there and should not be: enum 'good', 'bad'"),
        ("ALTER TABLE archive.documents ALTER document TYPE jsonb", "archive.documents.document is not of type json"),
        ("REVOKE INSERT ON tasks FROM fluxstudio_application", "may not use: public.tasks"),
        ("GRANT DELETE ON tasks TO fluxstudio_readonly", "the reports may write to: public.tasks"),
        ("GRANT SELECT ON users TO fluxstudio_readonly", "may read public.users.password_hash"),
        ("ALTER TABLE users ADD CONSTRAINT x CHECK (name <> '') NOT VALID", "public.users.x was never validated"),
        ("UPDATE ops.migration_history SET fingerprint = 'x' WHERE version = 5", "contradicts itself"),
    ],
)
def test_a_schema_that_was_changed_by_hand_is_found_out(migrated: Stack, change: str, found: str) -> None:
    run(migrated, change)

    verification = migrations.verify_schema(migrated)

    assert not verification.ok
    assert any(found in finding.what for finding in verification.findings), verification.findings


def test_an_invalid_index_is_found_out(migrated: Stack) -> None:
    run(
        migrated,
        "INSERT INTO users (email, name, user_type) "
        "VALUES ('a@studio.test', 'same', 'client'), ('b@studio.test', 'same', 'client')",
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        run(migrated, "CREATE UNIQUE INDEX CONCURRENTLY users_name_index ON users (name)")

    assert migrations.verify_schema(migrated).invalid_indexes == ("public.users_name_index",)


def test_a_drifted_schema_is_migrated_with_a_warning(stack: Stack) -> None:
    migrations.migrate(stack, to=1, backup=backup)
    run(stack, "CREATE INDEX extra ON users (name)")

    (finding,) = migrations.migrate(stack, to=2, backup=backup).findings

    assert (finding.code, finding.severity) == ("schema-drift", "warning")


def test_a_dumped_and_restored_schema_has_the_same_fingerprint(
    migrated: Stack, make_stack: Callable[[], Stack], tmp_path: Path
) -> None:
    copy, dump = make_stack(), tmp_path / "dump"
    for stack, program, options in (
        (migrated, "pg_dump", ("--format=custom", f"--file={dump}")),
        (copy, "pg_restore", ("--exit-on-error", f"--dbname={copy.contract.database_name}", os.fspath(dump))),
    ):
        with stack.client_environment() as environment:
            subprocess.run([stack.programs.path(program), *options], env=environment, check=True)

    with connected(migrated) as original, connected(copy) as restored:
        assert read_catalogue(restored) == read_catalogue(original)
    assert migrations.verify_schema(copy).ok, "the history travels with the data"


def test_the_history_names_the_fingerprint_that_is_computed_from_its_catalogue(migrated: Stack) -> None:
    assert value(migrated, "SELECT count(*) FROM ops.migration_history WHERE catalogue = '{}'") == 0
