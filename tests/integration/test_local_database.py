"""Connections have the same settings everywhere, one writer at a time, and errors that say what to do."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from servers import PostgresServer

from ops import database as db
from ops.errors import OperationError, RefusedError, UnreachableError, UsageError
from ops.local.processes import free_port
from ops.stack import Stack


def test_settings_that_change_the_text_of_values_are_pinned_against_the_databases_own(stack: Stack) -> None:
    settings = {"TimeZone": "Asia/Kathmandu", "DateStyle": "German", "IntervalStyle": "sql_standard"}
    settings |= {"bytea_output": "escape", "extra_float_digits": "0"}
    with stack.connect() as connection:
        for name, value in settings.items():
            connection.execute(f"ALTER DATABASE {stack.contract.database_name} SET {name} = '{value}'")

    with stack.connect() as connection:
        row = connection.execute(
            r"SELECT '2026-01-02 03:04:05+00'::timestamptz::text, '1 day 02:00'::interval::text,"
            r" '\x00ff'::bytea::text, (0.1::float8 + 0.2)::text"
        ).fetchone()
    assert row == ("2026-01-02 03:04:05+00", "1 day 02:00:00", r"\x00ff", "0.30000000000000004")


def test_nothing_in_the_callers_environment_leads_a_connection_elsewhere(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of 192.0.2.0/24 there are no hosts (RFC 5737).
    foreign = {"PGHOST": "192.0.2.1", "PGHOSTADDR": "192.0.2.1", "PGPORT": "9", "PGSERVICE": "nowhere"}
    foreign |= {"PGTZ": "Asia/Kathmandu", "PGDATESTYLE": "German", "PGCLIENTENCODING": "LATIN1", "PGUSER": "nobody"}
    foreign |= {"PGSSLROOTCERT": "/etc/ca.pem", "PGTARGETSESSIONATTRS": "standby", "PGOPTIONS": "-c work_mem=64kB"}
    for name, value in foreign.items():
        monkeypatch.setenv(name, value)

    with contextlib.closing(stack.connect()) as connection:
        row = connection.execute(
            "SELECT current_database(), current_setting('TimeZone'), current_setting('DateStyle'),"
            " current_setting('client_encoding')"
        ).fetchone()

    assert row == (stack.contract.database_name, "UTC", "ISO, MDY", "UTF8")
    assert [name for name in foreign if name in os.environ] == ["PGSSLROOTCERT"]


def test_the_first_connections_of_many_threads_take_the_environment_away_together(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")

    def ask(_: int) -> object:
        with contextlib.closing(stack.connect()) as connection:
            return connection.info.hostaddr

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {stack.contract.database_host}


def test_a_connection_that_led_elsewhere_all_the_same_is_refused(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = psycopg.connect
    monkeypatch.setattr(psycopg, "connect", lambda **given: reached(**{**given, "dbname": "postgres"}))

    with pytest.raises(
        RefusedError, match=rf"/{stack.contract.database_name} led to 127\.0\.0\.1:\d+/postgres instead"
    ):
        stack.connect()


def test_a_server_that_is_not_there_is_unreachable(stack: Stack) -> None:
    with pytest.raises(UnreachableError, match="cannot be reached"):
        db.connect("127.0.0.1", free_port(), "user", "password", "database", tls="disable")


def test_a_database_that_is_not_there_is_a_usage_error(stack: Stack) -> None:
    with pytest.raises(UsageError, match='database "elsewhere" does not exist'):
        stack.connect(database="elsewhere")


def enter(stack: Stack, operation: str) -> None:
    with db.exclusive(stack, operation):
        pass


def test_one_operation_at_a_time_and_the_other_is_told_who_since_when(stack: Stack) -> None:
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    with db.exclusive(stack, "migrate") as lock:
        pid = lock.connection.info.backend_pid
        with pytest.raises(RefusedError) as caught:
            enter(stack, "load")

    assert f"load cannot start: fluxstudio migrate (server process {pid}, since " in caught.value.message
    assert f"since {before:%Y-%m-%d}" in caught.value.message


def test_the_next_operation_may_start_at_once_when_the_first_has_ended(stack: Stack) -> None:
    for _ in range(20):
        with db.exclusive(stack, "load"):
            pass


def test_the_lock_is_free_again_after_an_operation_that_failed(stack: Stack) -> None:
    with pytest.raises(ZeroDivisionError), db.exclusive(stack, "load"):
        raise ZeroDivisionError

    with db.exclusive(stack, "load"):
        pass


def test_an_operation_that_may_wait_starts_when_the_other_has_ended(stack: Stack) -> None:
    waiting, entered = threading.Event(), threading.Event()

    def wait_and_enter() -> None:
        waiting.set()
        with db.exclusive(stack, "load", wait_seconds=60):
            entered.set()

    with db.exclusive(stack, "migrate"):
        thread = threading.Thread(target=wait_and_enter)
        thread.start()
        waiting.wait()
        assert not entered.is_set()
    thread.join()
    assert entered.is_set()


def test_operations_on_two_databases_do_not_wait_for_each_other(stack: Stack, make_stack: object) -> None:
    assert callable(make_stack)
    with db.exclusive(stack, "load"), db.exclusive(make_stack(), "load"):
        pass


def test_the_lock_can_be_had_through_any_way_to_connect(stack: Stack) -> None:
    with db.exclusive(lambda: stack.connect(autocommit=True), "load"), pytest.raises(RefusedError):
        enter(stack, "migrate")


def test_a_lock_that_was_lost_with_its_connection_is_noticed(stack: Stack, postgres_server: PostgresServer) -> None:
    with db.exclusive(stack, "load") as lock:
        lock.assert_held()
        with contextlib.closing(postgres_server.superuser()) as superuser:
            superuser.execute("SELECT pg_terminate_backend(%s, 10000)", (lock.connection.info.backend_pid,))
        with pytest.raises(UnreachableError, match="was lost"):
            lock.assert_held()


def raise_in_server(code: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'as the server would' USING ERRCODE = '{code}'; END $$"


@pytest.mark.parametrize(
    ("statement", "kind", "sentence"),
    [
        (raise_in_server("53100"), OperationError, "disk is full"),
        (raise_in_server("57P01"), UnreachableError, "was lost"),
        (raise_in_server("53300"), UnreachableError, "was lost"),
        ("SET TRANSACTION READ ONLY; CREATE TABLE a (id int)", RefusedError, "read-only"),
        ("CREATE ROLE somebody", UsageError, "may not do this"),
        ("SET lock_timeout = 1; LOCK TABLE held", RefusedError, "holds what this operation needs"),
    ],
)
def test_errors_a_person_can_mend_say_how(
    stack: Stack, statement: str, kind: type[OperationError], sentence: str
) -> None:
    with stack.connect() as holder, stack.connect() as connection:
        holder.execute("CREATE TABLE held (id int)")
        holder.commit()
        holder.execute("LOCK TABLE held")
        with pytest.raises(kind, match=sentence) as caught, db.translate_database_errors("somewhere"):
            connection.execute(statement)
    assert type(caught.value) is kind
    assert caught.value.next_step
    assert caught.value.where == "somewhere"


def test_a_connection_that_is_cut_is_unreachable(stack: Stack, postgres_server: PostgresServer) -> None:
    with contextlib.closing(stack.connect()) as connection:
        with contextlib.closing(postgres_server.superuser()) as superuser:
            superuser.execute("SELECT pg_terminate_backend(%s, 10000)", (connection.info.backend_pid,))
        with pytest.raises(UnreachableError), db.translate_database_errors():
            connection.execute("SELECT 1")


def test_a_defect_of_ours_is_not_dressed_up(stack: Stack) -> None:
    with contextlib.closing(stack.connect()) as connection:
        with pytest.raises(psycopg.errors.UndefinedTable), db.translate_database_errors():
            connection.execute("SELECT * FROM nowhere")
        connection.rollback()
