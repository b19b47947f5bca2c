"""Exports in the making, by any number of replicas: pages of rows first, each kept with how far it came, then the file.

Each step is one transaction that renews the lease of who makes it: whoever lost it (to a cancellation, or to another after
having been silent for too long) finds no row and leaves off. What a killed worker did last is there or not at all; the next
one goes on behind it. All rows of a file are read under the same rights of its owner, as they are while it is made: when they
change, it is begun anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row
from sqlalchemy.exc import DBAPIError

from backbone.process import logs
from backbone.storage.database import Database, is_outage
from contracts.errors import NotAllowed
from services.tracking.exports import store
from services.tracking.exports.file_process import read_message, write_message
from services.tracking.exports.rights import ExportRights, filters_of, owner_of, stored_scope
from services.tracking.exports.settings import ExportSettings
from services.tracking.exports.store import FILE, ROWS
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.search import queries
from services.tracking.search.conditions import looks_behind_the_mask

log = logs.get("exports")

AT_ONCE = 4.0
"""Seconds of reading, after which others have their change, and a service that is to stop may."""
MOST_TRIES = 5
CHUNK_SIZE = 256 * 1024
_ROOT = Path(__file__).resolve().parents[3]


class Lost(Exception):
    """Another is at it now, or it was cancelled."""


class ExportWorker:
    """Makes exports: of one process, one at a time."""

    def __init__(self, rights: ExportRights, catalogue: CatalogueCopy, settings: ExportSettings) -> None:
        self._rights, self._catalogue = rights, catalogue
        self._page, self._most_rows = settings.exports_page, settings.exports_most_rows
        self._keep = timedelta(seconds=settings.exports_keep)
        self._lease = timedelta(seconds=settings.exports_lease)
        self._worker = uuid4()

    def purge(self, connection: Connection) -> int:
        """What is old is gone."""
        return store.purge(connection)

    def work(self, database: Database) -> bool:
        """A while at one export; False when there is none to be made."""
        with database.transaction() as connection:
            row = store.take(connection, self._worker, self._lease)
            if row is not None and row.tries > MOST_TRIES:
                store.end(connection, row.export_id, "failed", self._keep, error="given_up")
                return True
        if row is None:
            return False
        try:
            self._go_on(database, row)
        except Lost:
            return True
        except Exception as error:
            if isinstance(error, DBAPIError) and is_outage(error):
                raise
            # Its lease runs out and it is tried again, by whoever is free.
            log.error("an export could not be made", export=str(row.export_id), error=logs.describe(error))
        return True

    def _go_on(self, database: Database, row: Row[Any]) -> None:
        ends = time.monotonic() + AT_ONCE
        while True:
            with database.transaction() as connection:
                step = self._read(connection, row.export_id)
            if step == "over":
                return
            if step == "read" and self._make(database, row):
                return
            if time.monotonic() >= ends:
                break
        with database.transaction() as connection:
            store.release(connection, row.export_id, self._worker)

    def _held(self, connection: Connection, export_id: UUID) -> Row[Any]:
        row = store.renew(connection, export_id, self._worker, self._lease)
        if row is None:
            raise Lost
        return row

    def _read(self, connection: Connection, export_id: UUID) -> str:
        """One page more: "more", "read" when it was the last one, or "over" when nothing can be made of it."""
        row = self._held(connection, export_id)
        try:
            scope = self._rights.scope(connection, owner_of(row))
        except NotAllowed:
            store.end(connection, export_id, "failed", self._keep, error="not_allowed")
            return "over"
        filters, tree = filters_of(row), self._catalogue.current(connection).tree
        if scope.masked and any(looks_behind_the_mask(part) for part in filters):
            store.end(connection, export_id, "failed", self._keep, error="not_allowed")
            return "over"
        after, pages, done = row.place, row.pages, row.rows_done
        if row.rights != stored_scope(scope):
            store.drop_chunks(connection, export_id, ROWS)
            after, pages, done = None, 0, 0
            total = queries.count(connection, filters, scope, tree)
            store.change(connection, export_id, rights=stored_scope(scope), rows_total=total, read=False)
            if total > self._most_rows:
                store.end(connection, export_id, "failed", self._keep, error="too_many_rows")
                return "over"
        elif row.read:
            return "read"
        lines, place = queries.whole_page(connection, filters, scope, tree, after, self._page)
        if lines:
            packed = zlib.compress("".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines).encode(), 1)
            store.add_chunk(connection, export_id, ROWS, pages, packed)
            pages, done = pages + 1, done + len(lines)
        last = place is None
        store.change(connection, export_id, place=place, pages=pages, rows_done=done, read=last)
        return "read" if last else "more"

    def _make(self, database: Database, row: Row[Any]) -> bool:
        """The file of all rows; False when the rights have changed meanwhile, and it is to be read anew."""
        with database.transaction() as connection:
            pages = self._held(connection, row.export_id).pages
            store.drop_chunks(connection, row.export_id, FILE)  # of who was killed over it
        file = _FileChunks(row.export_id)
        with _maker(row.format, row.language) as make_part:
            for page in range(pages):
                with database.transaction() as connection:
                    self._held(connection, row.export_id)
                    file.keep(connection)
                    packed = store.chunk(connection, row.export_id, ROWS, page)
                if packed is None:
                    raise Lost
                file.add(make_part(zlib.decompress(packed)))
            file.add(make_part(b""))
        with database.transaction() as connection:
            held = self._held(connection, row.export_id)
            try:
                if held.rights != stored_scope(self._rights.scope(connection, owner_of(held))):
                    return False
            except NotAllowed:
                return False  # reported when it is read anew
            file.keep(connection, last=True)
            store.end(connection, row.export_id, "done", self._keep, size=file.size, chunks=file.kept)
        log.info("an export is made", export=str(row.export_id), owner=str(row.owner), rows=held.rows_done)
        return True


class _FileChunks:
    """The file as it comes, cut into chunks of one size."""

    def __init__(self, export_id: UUID) -> None:
        self._export_id, self._waiting = export_id, bytearray()
        self.size = self.kept = 0

    def add(self, content: bytes) -> None:
        self._waiting += content
        self.size += len(content)

    def keep(self, connection: Connection, last: bool = False) -> None:
        """All whole chunks, and with the last ones what is left."""
        while len(self._waiting) >= CHUNK_SIZE or (last and self._waiting):
            store.add_chunk(connection, self._export_id, FILE, self.kept, bytes(self._waiting[:CHUNK_SIZE]))
            del self._waiting[:CHUNK_SIZE]
            self.kept += 1


@contextmanager
def _maker(format_: str, language: str) -> Iterator[Callable[[bytes], bytes]]:
    """The process that makes the file: a page in, what there is of the file out. Here it would hold up everything."""
    maker = subprocess.Popen(
        [sys.executable, "-m", "services.tracking.exports.file_process", format_, language],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env={"LC_ALL": "C.UTF-8", "PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,
    )
    requests, answers = maker.stdin, maker.stdout
    assert requests is not None
    assert answers is not None

    def make_part(page: bytes) -> bytes:
        write_message(requests, page)
        return read_message(answers)

    try:
        yield make_part
    finally:
        if maker.poll() is None:
            maker.kill()
        maker.wait()
        for pipe in (requests, answers):
            with suppress(OSError):
                pipe.close()
