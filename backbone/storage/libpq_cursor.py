"""psycopg's connection and cursor, below SQLAlchemy, that run statements straight on libpq (psycopg.pq) and eventlet's hub.

Why: more than half of the processor time of a statement by psycopg's own cursor goes to generators, locks, a listener that is
added and removed for each wait, and a timer for each (docs/adr/0014). Here
- each distinct statement (its text and the types of its parameters, as psycopg tells them apart) is prepared at its first
  execution, under a name of its connection; the least recently used is closed beyond `PREPARED_MAX`;
- BEGIN travels with the first statement of a transaction, the rows of an `executemany` travel together;
- one listener stays on the hub as long as its connection lives, and one timer of the process watches for silence.

Values are dumped and loaded by psycopg's own Transformer, and fetching is psycopg's own code. What is no plain SELECT, INSERT,
UPDATE or DELETE with named parameters (COPY, DDL, SAVEPOINT, server-side cursors, `stream`, `pipeline`, texts beyond
`LONGEST_TEXT`) runs by psycopg's own cursor, which waits through the same listener. So does a text that begins with
`UNPREPARED`.

An exchange with the server that does not end (a green thread was killed or timed out in its middle) closes the connection:
nobody may take the answer for that of another statement. A statement that failed is forgotten and prepared anew, so that
errors about the preparation itself (a result type changed by a migration) do not come back.

psycopg's internals that are relied on, pinned by tests/unit/test_backbone_libpq_cursor.py: of a cursor `_last_query`, `_reset`,
`_results`, `_rowcount`, `_statusmessage`, `_tx`, `_select_current_result`, `_check_result_for_fetch`; of a connection
`_autocommit`, `_pipeline`, `_tpc`, `_num_transactions`, `_get_tx_start_command`; and `psycopg._queries._query2pg_nocache`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, Self, TypeVar

import psycopg
from psycopg import abc, errors, pq
from psycopg._queries import _query2pg_nocache
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

from backbone.storage.hub_listener import HubListener

PREPARED_MAX = 100
"""Prepared statements of one connection; psycopg's own bound. Each takes some ten kilobytes of the server."""

LONGEST_TEXT = 16_384
"""Characters. Longer statements are inserts of many rows, which seldom come twice with as many."""

UNPREPARED = "/* planned for its values */ "
"""Begins a statement that the server is to plan at each execution, for the values it has: of a prepared one it keeps one plan
after the fifth, which is as good as any where values are alike (an id), and ruinous where it matters which they are (words that
are searched, spans of days)."""

_PLAIN = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
_IDLE, _ACTIVE = pq.TransactionStatus.IDLE, pq.TransactionStatus.ACTIVE
_BAD = pq.ConnStatus.BAD
_FATAL, _SYNC = pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_SYNC

Result = TypeVar("Result")
Row = tuple[Any, ...]
StatementKey = tuple[bytes, tuple[int, ...]]
"""Text and types of the parameters."""


def open_connection(*arguments: Any, **parameters: Any) -> LibpqConnection:
    """What psycopg.connect takes; psycopg itself prepares nothing, and so never deallocates what is prepared here."""
    connection: LibpqConnection = LibpqConnection.connect(*arguments, **{**parameters, "prepare_threshold": None})
    return connection


class PlainStatement(NamedTuple):
    """A statement's text as PostgreSQL takes it, and how to get its values from a mapping, in order."""

    query: bytes
    formats: list[PyFormat]
    names: list[str]
    pick: Callable[[Mapping[str, Any]], Any]

    def values(self, parameters: Any) -> Sequence[Any] | None:
        """None when they do not fit: psycopg has the message for that."""
        if not self.names:
            return None if parameters else ()
        try:
            picked: Sequence[Any] = self.pick(parameters)
        except (KeyError, TypeError):
            return None
        return picked if len(self.names) > 1 else (picked,)


@lru_cache(maxsize=256)
def _plain_statement(text: str, encoding: str) -> PlainStatement | None:
    if _PLAIN.match(text) is None or ";" in text:  # several statements at once cannot be prepared
        return None
    query, formats, names, _ = _query2pg_nocache(text.encode(encoding), encoding)
    if formats and not names:
        return None  # %s by position
    names = names or []
    return PlainStatement(query, formats, names, itemgetter(*names) if names else dict)


class Prepared:
    """A statement on one connection: its name, how its results are loaded, and what their columns are."""

    __slots__ = ("columns", "key", "loaders", "name", "ready")

    def __init__(self, key: StatementKey, name: bytes, loaders: abc.Transformer) -> None:
        self.key, self.name, self.loaders = key, name, loaders
        self.ready = False  # whether the server has it
        self.columns: list[psycopg.Column] | None = None


Execution = tuple[Prepared, Sequence[abc.Buffer | None], Sequence[pq.Format] | None]
"""A statement, its values, and whether each is text or binary."""


class LibpqConnection(psycopg.Connection[Row]):
    """Used by one green thread at a time, like every connection of a pool."""

    def __init__(self, pgconn: PGconn, *arguments: Any, **options: Any) -> None:
        super().__init__(pgconn, *arguments, **options)
        self.cursor_factory = LibpqCursor
        self._encoding = self.info.encoding
        self._listener = HubListener(pgconn.socket)
        self._dumpers: abc.Transformer | None = None  # made at the first statement, when the adapters are set
        self._statements: dict[StatementKey, Prepared] = {}  # the least recently used first
        self._names_given = 0
        self._unneeded: list[bytes] = []  # names that the next preparation closes

    def plain(self, query: Any, parameters: Any) -> PlainStatement | None:
        """None when psycopg's own cursor has to run it."""
        if type(query) is not str or len(query) > LONGEST_TEXT or self._pipeline is not None:
            return None
        if parameters is None and "%" in query:
            return None  # %% is no escape then
        return _plain_statement(query, self._encoding)

    def run(self, plain: PlainStatement, rows: Iterable[Sequence[Any]]) -> tuple[Prepared, list[PGresult]]:
        """Runs the statement for each of `rows`, one at least, in one exchange; the last result is that of the last row.

        Raises what psycopg raises: about a value before anything is sent, about anything else afterwards.
        """
        self._assert_unused()
        pgconn = self.pgconn
        begin = not self._autocommit and pgconn.transaction_status == _IDLE
        unneeded = tuple(self._unneeded)  # what is evicted from here on may yet be executed below
        executions = [self._execution(plain, values) for values in rows]
        prepared, parameters, formats = executions[-1]
        together = begin or len(executions) > 1 or not prepared.ready
        try:
            if together:
                self._send_together(executions, begin, unneeded)
            else:
                pgconn.send_query_prepared(prepared.name, parameters, formats)
            results = self._results(together)
        except BaseException:
            self.close()  # an answer may be on its way for which nobody waits any more
            raise
        if together:
            del self._unneeded[: len(unneeded)]
        try:
            self._check(results)
        except psycopg.Error:
            self._forget(executions)
            raise
        for execution in executions:
            execution[0].ready = True
        return prepared, results

    def commit(self) -> None:
        if self._num_transactions or self._tpc or self._pipeline:
            super().commit()
        elif self.pgconn.transaction_status != _IDLE:
            self._command(b"COMMIT")

    def rollback(self) -> None:
        if self._num_transactions or self._tpc or self._pipeline:
            super().rollback()
        elif self.pgconn.transaction_status != _IDLE:
            self._command(b"ROLLBACK")

    def close(self) -> None:
        self._listener.drop()
        super().close()

    def __del__(self, *options: Any) -> None:
        self._listener.drop()
        super().__del__(*options)

    def wait(self, gen: abc.PQGen[Result], interval: float = 0.0, timeout: float | None = None) -> Result:
        """For what psycopg's own cursor runs."""
        if timeout is not None:
            raise psycopg.NotSupportedError("no notifications are waited for on this connection")
        self._assert_unused()
        try:
            wanted = next(gen)
            while True:
                ready = self._listener.wait(write=wanted != Wait.R)
                if wanted == Wait.W and ready == Ready.R:
                    self.pgconn.consume_input()  # or it would be readable again at once
                wanted = gen.send(ready)
        except StopIteration as end:
            result: Result = end.value
            return result
        except BaseException:
            if self.pgconn.status == _BAD or self.pgconn.transaction_status == _ACTIVE:
                self.close()
            raise

    def _assert_unused(self) -> None:
        if self._listener.waiting is not None:
            raise psycopg.InterfaceError("another green thread waits on this connection")

    def _command(self, command: bytes) -> None:
        self._assert_unused()
        try:
            self.pgconn.send_query(command)
            results = self._results()
        except BaseException:
            self.close()
            raise
        self._check(results)

    def _execution(self, plain: PlainStatement, values: Sequence[Any]) -> Execution:
        if self._dumpers is None:
            self._dumpers = Transformer(self)
        parameters = self._dumpers.dump_sequence(values, plain.formats)
        key = (plain.query, self._dumpers.types or ())
        prepared = self._statements.pop(key, None)
        if prepared is None:
            if len(self._statements) >= PREPARED_MAX:
                oldest = self._statements.pop(next(iter(self._statements)))
                self._unneeded.append(oldest.name)
            self._names_given += 1
            prepared = Prepared(key, b"p%d" % self._names_given, Transformer(self))
        self._statements[key] = prepared
        return prepared, parameters, self._dumpers.formats

    def _send_together(self, executions: Sequence[Execution], begin: bool, unneeded: Sequence[bytes]) -> None:
        pgconn = self.pgconn
        pgconn.enter_pipeline_mode()
        for name in unneeded:
            pgconn.send_close_prepared(name)
        if begin:
            pgconn.send_query_params(self._get_tx_start_command(), None)
        sent = set()
        for prepared, parameters, formats in executions:
            if not prepared.ready and prepared.name not in sent:
                pgconn.send_prepare(prepared.name, *prepared.key)
                sent.add(prepared.name)
            pgconn.send_query_prepared(prepared.name, parameters, formats)
        pgconn.pipeline_sync()

    def _results(self, together: bool = False) -> list[PGresult]:
        """What the server answers to what was sent; less than all when the connection is lost after an error."""
        pgconn, listener = self.pgconn, self._listener
        while pgconn.flush():
            if listener.wait(write=True) == Ready.R:
                pgconn.consume_input()
        results: list[PGresult] = []
        while True:
            while pgconn.is_busy():
                listener.wait()
                try:
                    pgconn.consume_input()
                except psycopg.OperationalError:
                    if _failure(results) is None:
                        raise
                    return results  # the server said why before it hung up
            result = pgconn.get_result()
            if result is None:
                if not together or pgconn.status == _BAD:
                    return results
            elif result.status == _SYNC:
                pgconn.exit_pipeline_mode()
                return results
            else:
                results.append(result)

    def _check(self, results: Sequence[PGresult]) -> None:
        """Raises the error among them."""
        if self.pgconn.status == _BAD:
            self.close()
        failure = _failure(results)
        if failure is not None:
            raise errors.error_from_result(failure, encoding=self._encoding)
        if not results:
            raise psycopg.OperationalError("the connection is lost")

    def _forget(self, executions: Iterable[Execution]) -> None:
        for prepared, _, _ in executions:
            forgotten = self._statements.pop(prepared.key, None)
            if forgotten is not None:
                self._unneeded.append(forgotten.name)


class LibpqCursor(psycopg.Cursor[Row]):
    """psycopg's cursor; `execute` and `executemany` of plain statements are the connection's `run`."""

    def __init__(self, connection: LibpqConnection, **options: Any) -> None:
        super().__init__(connection, **options)
        self._libpq = connection
        self._prepared: Prepared | None = None

    def execute(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Self:
        plain = self._libpq.plain(query, params) if prepare is None and binary is None else None
        values = None if plain is None else plain.values(params)
        if plain is None or values is None:
            self._prepared = None
            return super().execute(query, params, prepare=prepare, binary=binary)
        self._start()
        self._prepared, results = self._libpq.run(plain, (values,))
        self._tx = self._prepared.loaders
        self._results = results[-1:]
        self._select_current_result(0)
        return self

    def executemany(self, query: Any, params_seq: Iterable[Any], *, returning: bool = False) -> None:
        rows = list(params_seq)
        plain = self._libpq.plain(query, rows[0]) if rows and not returning else None
        values = [row for row in map(plain.values, rows) if row is not None] if plain else []
        self._prepared = None
        if plain is None or len(values) < len(rows):
            super().executemany(query, rows, returning=returning)
            return
        self._start()
        _, results = self._libpq.run(plain, values)
        self._rowcount = sum(result.command_tuples or 0 for result in results)
        self._statusmessage = results[-1].command_status

    @property
    def description(self) -> list[psycopg.Column] | None:
        if self._prepared is None or self.pgresult is None:
            return super().description
        if self._prepared.columns is None:
            self._prepared.columns = super().description
        return self._prepared.columns

    def _start(self) -> None:
        if self.closed:
            raise psycopg.InterfaceError("the cursor is closed")
        self._reset()
        self._last_query = None

    def _check_result_for_fetch(self) -> PGresult:
        """Called before each fetch: another cursor may have used the loaders of the same statement meanwhile."""
        result = super()._check_result_for_fetch()
        if self._prepared is not None:
            self._tx.set_pgresult(result, set_loaders=False)
        return result


def _failure(results: Iterable[PGresult]) -> PGresult | None:
    return next((result for result in results if result.status == _FATAL), None)
