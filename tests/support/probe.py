"""A small service that does what its messages say, to show what the backbone does around it.

`python -m tests.support.probe`: consumes `tracking.staff` (one at a time) and `tracking.replies` (in batches) and
answers RPC as "probe". The display_name of a staff.changed event is the instruction:
  note            note the effect once
  invalid         raise Invalid
  fail N          raise a bug the first N times, then note
  later N         raise TryLater the first N times, then note
  sleep S         work S seconds, then note
  announce S      the same, and send the event on through the outbox
RPC waits for so many seconds before it answers; asked "note <uuid>" it notes that as an effect.
"""

from __future__ import annotations

import os

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

import warnings

warnings.filterwarnings("ignore", message="(?s).*Eventlet is deprecated.*")

import eventlet

eventlet.monkey_patch()

import sys
from uuid import UUID

from sqlalchemy import Connection, text

from backbone.messaging import inbox, outbox
from backbone.process import logs
from backbone.messaging.consumers import TryLater, durable_event_handler
from backbone.process.dependencies import PeygirService
from backbone.messaging.rpc import rpc
from backbone.process.run import serve
from backbone.process.settings import ServiceSettings, load
from contracts.accounts import StaffChanged
from contracts.errors import Invalid, UnknownCase
from contracts.notify import CitizenReplied
from tests.support.probe_contracts import ProbeRequest, ProbeAnswer


class Service(PeygirService):
    name = "probe"

    @durable_event_handler("tracking.staff", concurrency=2)
    def obey(self, event: StaffChanged) -> None:
        verb, _, number = event.display_name.partition(" ")
        with self.db.transaction() as connection:
            times = connection.execute(
                text(
                    "INSERT INTO attempts VALUES (:id, 1) ON CONFLICT (event_id) DO UPDATE SET times = attempts.times + 1 "
                    "RETURNING times"
                ),
                {"id": event.id},
            ).scalar_one()
        if verb == "invalid":
            raise Invalid
        if verb in {"fail", "later"} and times <= int(number):
            raise TryLater("not yet") if verb == "later" else ValueError("a bug that quotes +989121234567")
        if verb in {"sleep", "announce"}:
            eventlet.sleep(float(number))
        with self.db.transaction() as connection:
            if inbox.first_time(connection, "tracking.staff", event.id):
                self._note(connection, event.id)
                if verb == "announce":
                    outbox.add(connection, event)

    @durable_event_handler("tracking.replies", batch=50, concurrency=1)
    def obey_together(self, events: list[CitizenReplied]) -> None:
        with self.db.transaction() as connection:
            for event in events:
                if not inbox.first_time(connection, "tracking.replies", event.id):
                    continue
                if event.reply == "object":
                    raise Invalid
                self._note(connection, event.id)

    @rpc
    def tell(self, request: ProbeRequest) -> ProbeAnswer:
        from backbone.process import traces as trace

        if request.what == "unknown":
            raise UnknownCase
        if request.what == "bug":
            raise ValueError("a bug that quotes +989121234567")
        eventlet.sleep(request.seconds)
        with self.db.read() as connection:
            connection.execute(text("SELECT 1"))
        verb, _, identity = request.what.partition(" ")
        if verb == "note":
            with self.db.transaction() as connection:
                self._note(connection, identity)
        return ProbeAnswer(what=request.what, trace=trace.trace_id())

    def _note(self, connection: Connection, identity: UUID | str) -> None:
        connection.execute(
            text("INSERT INTO effects (event_id, pid) VALUES (:id, :pid)"),
            {"id": identity, "pid": os.getpid()},
        )


if __name__ == "__main__":
    settings = load(ServiceSettings)
    logs.configure("probe", settings.log_level)
    code = serve(Service, settings)
    sys.stdout.flush()
    os._exit(code)
