"""What backbone.storage.libpq_cursor relies on in psycopg, SQLAlchemy and eventlet, and is documented nowhere.

A test that fails here after an upgrade says what to look at in libpq_cursor.py and hub_listener.py.
"""

from __future__ import annotations

import inspect

import psycopg
import pytest
from eventlet.hubs import get_hub
from eventlet.hubs.hub import FdListener
from psycopg import pq
from psycopg._capabilities import capabilities
from psycopg._connection_base import BaseConnection
from psycopg._cursor_base import BaseCursor
from psycopg._preparing import Prepare, PrepareManager
from psycopg._queries import PostgresQuery, _query2pg_nocache
from psycopg.adapt import PyFormat, Transformer

from backbone.storage.libpq_cursor import LibpqCursor


def test_a_cursor_keeps_its_results_in_the_fields_that_ours_sets() -> None:
    assert set(BaseCursor.__slots__) >= {"_last_query", "_results", "_rowcount", "_statusmessage", "_tx"}
    reset = inspect.getsource(BaseCursor._reset)
    for field in ("_results", "pgresult", "_rowcount", "_statusmessage", "_execmany_returning"):
        assert f"self.{field}" in reset, field
    # A cursor that psycopg runs again makes loaders of its own, unless it runs the same query.
    assert "self._last_query is not query" in inspect.getsource(BaseCursor._start_query)


def test_every_fetch_looks_at_its_result_before_it_loads_rows() -> None:
    for name in ("fetchone", "fetchmany", "fetchall", "__next__", "_scroll"):
        assert "self._check_result_for_fetch()" in inspect.getsource(getattr(psycopg.Cursor, name)), name
    assert "_check_result_for_fetch" in vars(LibpqCursor)


def test_a_result_is_taken_into_the_cursor_with_its_count_and_its_loaders() -> None:
    source = inspect.getsource(BaseCursor._select_current_result)
    for part in (
        "self._results[i]",
        "self._tx.set_pgresult",
        "self._rowcount",
        "self._statusmessage",
        "self._make_row",
    ):
        assert part in source, part


def test_a_connection_says_how_a_transaction_begins() -> None:
    source = inspect.getsource(BaseConnection)
    for name in ("_autocommit", "_pipeline", "_tpc", "_num_transactions"):
        assert f"self.{name}" in source, name
    assert inspect.signature(BaseConnection._get_tx_start_command).return_annotation == "bytes"


def test_psycopg_prepares_and_deallocates_nothing_without_a_threshold() -> None:
    manager = PrepareManager()
    manager.prepare_threshold = None
    query = PostgresQuery(Transformer())
    query.convert("SELECT 1", None)
    assert manager.get(query, True) == (Prepare.NO, b"")
    manager.clear()
    assert not manager._to_flush


def test_a_query_is_turned_into_what_the_server_takes() -> None:
    query, formats, names, _ = _query2pg_nocache(b"SELECT %(a)s, %(b)s, %(a)s, '%%'", "utf-8")
    assert (query, formats, names) == (b"SELECT $1, $2, $1, '%'", [PyFormat.AUTO] * 2, ["a", "b"])
    assert _query2pg_nocache(b"SELECT 1", "utf-8")[1:3] == ([], None)
    assert _query2pg_nocache(b"SELECT %s", "utf-8")[1:3] == ([PyFormat.AUTO], None)


def test_values_are_dumped_with_their_types_and_formats() -> None:
    dumpers = Transformer()
    values = dumpers.dump_sequence((7, "seven", None), [PyFormat.AUTO] * 3)
    assert [value is None or bytes(value) for value in values] == [b"\0\7", b"seven", True]
    assert dumpers.types == (21, 0, 0)
    assert dumpers.formats == [pq.Format.BINARY, pq.Format.TEXT, pq.Format.TEXT]
    with pytest.raises(psycopg.DataError, match="NUL"):
        dumpers.dump_sequence(("\0",), [PyFormat.AUTO])


def test_libpq_closes_prepared_statements_and_has_pipelines() -> None:
    assert capabilities.has_send_close_prepared()
    assert capabilities.has_pipeline()


def test_the_hub_takes_a_listener_and_tells_it_when_its_socket_is_another() -> None:
    assert list(inspect.signature(get_hub().add).parameters) == ["evtype", "fileno", "cb", "tb", "mac"]
    assert "self.mark_as_closed()" in inspect.getsource(FdListener.defang)
