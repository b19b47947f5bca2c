"""Publishes the rows of the outbox: from memory right after their commit, and from the table what was left over.

To read and lock each row that this process has just written costs more than to publish it. So what a transaction wrote to the
outbox is kept until its commit, published from memory, and its rows are deleted in batches. The rows stay what makes an event
certain: whatever is not published and deleted so (the process died, the broker was away, memory was full) is older than
LEFTOVER_AGE at a later sweep of any process of the service, which publishes it from the table.

Published twice is an event whose process died between its publication and the deletion of its row, up to DELETE_AFTER seconds,
or that waits longer than LEFTOVER_AGE for the confirmation while another process sweeps. Its consumers' inbox ignores the
second one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import eventlet
import eventlet.event

from backbone.messaging import outbox
from backbone.process import logs

if TYPE_CHECKING:
    from backbone.messaging.broker import Broker
    from backbone.storage.database import Database

log = logs.get("outbox")

LEFTOVER_AGE = 1.0
"""Seconds after which a row is no longer expected to be published by the process that wrote it."""
SWEEP_EVERY = 1.0
"""Seconds between two looks for rows that were left: by a process that died, by a command, which has no relay, or by this one."""
DELETE_AFTER, DELETE_COUNT = 0.3, 100
"""Seconds and rows after which published rows are deleted."""
MAX_COMMITTED = 5_000
"""Events in memory; what exceeds them waits in the table alone."""


class OutboxRelay:
    """The relay of one process: `committed` is called after each commit, `run` in a green thread until `stop`."""

    def __init__(self, database: Database, broker: Broker) -> None:
        self._database, self._broker = database, broker
        self._committed: deque[outbox.Written] = deque()
        self._published: list[int] = []
        self._published_at = 0.0  # when the first of them was
        self._swept_at = self._measured_at = 0.0
        self._wake = eventlet.event.Event()
        self._stopping = False

    def committed(self, written: Sequence[outbox.Written]) -> None:
        """These rows were written and committed by this process."""
        capacity = MAX_COMMITTED - len(self._committed) if self._broker.connected else 0
        self._committed.extend(written[:capacity])
        self._kick()

    def stop(self) -> None:
        """`run` publishes what it has, and ends."""
        self._stopping = True
        self._kick()

    def run(self) -> None:
        while not self._stopping:
            with eventlet.Timeout(DELETE_AFTER if self._published else SWEEP_EVERY, False):
                self._wake.wait()
            self._wake = eventlet.event.Event()
            for step in (self._publish_committed, self._delete_published, self._sweep, self._measure):
                if not self._attempt(step):
                    eventlet.sleep(0.5)
        self._attempt(self._publish_committed)
        self._attempt(self._delete_all_published)

    def _attempt(self, step: Callable[[], None]) -> bool:
        """Whether the step succeeded. The relay goes on, and ends in order, whatever the database or the broker do."""
        try:
            step()
        except Exception as error:  # noqa: BLE001  # what was not published or deleted is still in the table
            log.warning("the outbox could not be relayed", step=step.__name__, error=type(error).__name__)
            return False
        return True

    def _kick(self) -> None:
        if not self._wake.ready():
            self._wake.send(None)

    def _publish_committed(self) -> None:
        while self._committed:
            batch = [self._committed.popleft() for _ in range(min(len(self._committed), outbox.BATCH_SIZE))]
            results = self._broker.publish([written.message for written in batch])
            confirmed = [written.seq for written, error in zip(batch, results, strict=True) if error is None]
            if len(confirmed) < len(batch):
                why = next(error for error in results if error is not None)
                log.warning("events could not be published yet", count=len(batch) - len(confirmed), why=str(why))
            if not self._published:
                self._published_at = time.monotonic()
            self._published += confirmed
            outbox.RELAYED.inc(len(confirmed))

    def _delete_published(self) -> None:
        if len(self._published) >= DELETE_COUNT or time.monotonic() >= self._published_at + DELETE_AFTER:
            self._delete_all_published()

    def _delete_all_published(self) -> None:
        if self._published:
            published = self._published[:]
            outbox.delete_rows(self._database, published)
            del self._published[: len(published)]

    def _sweep(self) -> None:
        """Publishes what was left in the table."""
        if time.monotonic() < self._swept_at + SWEEP_EVERY or not self._broker.connected:
            return
        self._swept_at = time.monotonic()
        if not outbox.has_rows(self._database, older_than=LEFTOVER_AGE):
            return
        # What is in memory is no leftover, however old it is.
        self._publish_committed()
        self._delete_all_published()
        taken = confirmed = outbox.BATCH_SIZE
        while taken == outbox.BATCH_SIZE and confirmed and self._broker.connected and not self._stopping:
            taken, confirmed = outbox.relay_once(self._database, self._broker, older_than=LEFTOVER_AGE)

    def _measure(self) -> None:
        if time.monotonic() >= self._measured_at + outbox.MEASURED_EVERY:
            self._measured_at = time.monotonic()
            with self._database.read() as connection:
                outbox.measure(connection)
