"""What would put data at risk is refused, in words, before anything is touched; the same command works later."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from migration_samples import backup, connected, exists, no_backup_expected, run, value, write_migration
from psycopg import sql
from servers import PostgresServer

from ops import migrations
from ops.database import exclusive
from ops.errors import RefusedError, UnreachableError, UsageError
from ops.schema.preflight import check_roles
from ops.stack import Stack


def test_a_database_that_holds_other_tables_is_refused_with_their_names(stack: Stack) -> None:
    run(stack, "CREATE TABLE public.ledger (n int)", "CREATE SCHEMA shop", "CREATE VIEW shop.sales AS SELECT 1 AS n")

    with pytest.raises(RefusedError, match=r"holds schema shop, table public\.ledger, view shop\.sales"):
        migrations.migrate(stack, backup=no_backup_expected)

    run(stack, "DROP SCHEMA shop CASCADE", "DROP TABLE public.ledger")
    assert migrations.migrate(stack, backup=backup).to_version == 5


def test_an_extension_that_somebody_installed_is_not_in_the_way_and_survives(
    stack: Stack, postgres_server: PostgresServer
) -> None:
    with postgres_server.superuser(stack.contract.database_name) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")

    migrations.migrate(stack, backup=backup)
    migrations.revert(stack, to=0, backup=backup)

    assert value(stack, "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'") == 1
    assert migrations.prove_empty(stack).ok


def test_a_migration_edited_after_it_ran_is_refused(stack: Stack, tmp_path: Path) -> None:
    directory = write_migration(tmp_path / "m", 1, "CREATE TABLE public.a (n int);", "DROP TABLE public.a;")
    migrations.migrate(stack, backup=backup, directory=directory)
    write_migration(directory, 1, "CREATE TABLE public.a (n bigint);", "DROP TABLE public.a;")

    with pytest.raises(RefusedError, match=r"0001_sample\.up\.sql was edited after"):
        migrations.migrate(stack, backup=no_backup_expected, directory=directory)
    with pytest.raises(RefusedError, match=r"0001_sample\.up\.sql was edited after"):
        migrations.revert(stack, to=0, backup=no_backup_expected, directory=directory)

    write_migration(directory, 1, "CREATE TABLE public.a (n int);", "DROP TABLE public.a;")
    assert migrations.revert(stack, to=0, backup=backup, directory=directory).to_version == 0


def test_a_read_only_database_is_refused(stack: Stack) -> None:
    database = stack.contract.database_name
    run(stack, f"ALTER DATABASE {database} SET default_transaction_read_only = on")

    with pytest.raises(RefusedError, match="is read-only"):
        migrations.migrate(stack, backup=no_backup_expected)

    run(stack, "SET default_transaction_read_only = off", f"ALTER DATABASE {database} RESET ALL")
    assert migrations.migrate(stack, backup=backup).to_version == 5


def test_a_database_of_somebody_else_is_refused(stack: Stack, postgres_server: PostgresServer) -> None:
    database = sql.Identifier(stack.contract.database_name)
    with postgres_server.superuser() as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO postgres").format(database))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO fluxstudio_owner").format(database))

    with pytest.raises(RefusedError, match="belongs to role postgres; fluxstudio_owner may not migrate it"):
        migrations.migrate(stack, backup=no_backup_expected)


def test_a_server_without_the_roles_is_refused(stack: Stack) -> None:
    with connected(stack) as connection, pytest.raises(RefusedError, match='no role Nobody"s, which the migrations'):
        check_roles(connection, ("fluxstudio_readonly", 'Nobody"s'))


def test_a_database_that_is_down_is_unreachable(stack: Stack) -> None:
    # Nothing listens on the discard port of a test machine.
    gone = dataclasses.replace(stack, contract=dataclasses.replace(stack.contract, database_port=9))

    with pytest.raises(UnreachableError):
        migrations.migrate(gone, backup=no_backup_expected)
    with pytest.raises(UnreachableError):
        migrations.migration_status(gone)


def test_two_at_once_are_told_of_each_other(stack: Stack) -> None:
    with exclusive(stack, "load"), pytest.raises(RefusedError, match="migrate cannot start: fluxstudio load"):
        migrations.migrate(stack, backup=no_backup_expected)

    assert migrations.migrate(stack, backup=backup).to_version == 5


def test_looking_is_allowed_while_another_operation_works(stack: Stack) -> None:
    migrations.migrate(stack, backup=backup)

    with exclusive(stack, "load"):
        assert migrations.migration_status(stack).current_version == 5
        assert migrations.verify_schema(stack).ok
        assert migrations.revert(stack, to=0, dry_run=True, backup=None).dry_run


@pytest.mark.parametrize("target", [-1, 6])
def test_a_version_that_does_not_exist_is_a_usage_error(stack: Stack, target: int) -> None:
    with pytest.raises(UsageError, match="There is no migration"):
        migrations.migrate(stack, to=target, backup=no_backup_expected)


def test_migrate_never_goes_down_and_revert_never_up(stack: Stack) -> None:
    migrations.migrate(stack, to=2, backup=backup)

    with pytest.raises(UsageError, match="Use revert --to 1"):
        migrations.migrate(stack, to=1, backup=no_backup_expected)
    with pytest.raises(UsageError, match="Use migrate --to 3"):
        migrations.revert(stack, to=3, backup=no_backup_expected)


def test_a_file_that_would_commit_by_itself_is_refused_before_it_does(stack: Stack, tmp_path: Path) -> None:
    directory = write_migration(tmp_path / "m", 1, "CREATE TABLE public.a (n int);\nCOMMIT;")

    with pytest.raises(UsageError, match="begins or ends a transaction in line 2"):
        migrations.migrate(stack, backup=backup, directory=directory)

    assert not exists(stack, "public.a")
