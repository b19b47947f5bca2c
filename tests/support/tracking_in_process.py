"""Tracking's entrypoints called in this process on a real database, without a broker: for tests that look at statements, or that
step in between two of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from backbone.process import keys
from backbone.storage import migrate
from backbone.storage.database import Database
from contracts.gateway import Actor
from contracts.intake import SubmissionRegistered
from contracts.tracking import Assign, ExecuteCitizenCommand, ExecuteCommand, StaffCase, StartScreening
from contracts.vocabulary import ActorKind, Role
from tests.support.between_statements import meanwhile
from tests.support.processes import create_database
from tests.support.tracking import UNIT, actor, catalogue, staff, submission
from tests.support.walk.services import Services

WRITES_COMMAND = "WITH decisive AS (UPDATE cases"
"""How the statement begins that writes a command."""


class TrackingInProcess:
    """Tracking with a catalogue, two heads, a screener, two inspectors and a liaison."""

    def __init__(self, server_url: str, database: str) -> None:
        self.url = create_database(server_url, database)
        migrate.upgrade("tracking", self.url)
        services = Services({"tracking": self.url}, keys.generate(), lambda url: Database(url, pool_size=4))
        self.tracking = services.made["tracking"]
        self.db: Database = self.tracking.db
        self.head, self.other_head, self.screener = actor(Role.HEAD), actor(Role.HEAD), actor(Role.SCREENER)
        self.inspector, self.other_inspector = actor(Role.INSPECTOR), actor(Role.INSPECTOR)
        self.liaison = actor(Role.LIAISON, unit=UNIT)
        self.handle("keep_catalogue", catalogue())
        for person in (self.head, self.other_head, self.screener, self.inspector, self.other_inspector, self.liaison):
            self.handle("keep_staff", staff(person))

    def handle(self, method: str, argument: Any) -> None:
        """An event, or a batch, as the entrypoint handles it."""
        cls = self.tracking.cls
        self.tracking._report = lambda refused: cls._report(self.tracking, refused)
        getattr(cls, method)(self.tracking, argument)

    def ask(self, method: str, request: Any) -> Any:
        """What the entrypoint answers or raises."""
        return getattr(self.tracking.cls, method)(self.tracking, request)

    def one(self, query: str, **parameters: Any) -> Any:
        """The first value of the first row."""
        with self.db.read() as connection:
            return connection.exec_driver_sql(query, parameters).scalar()

    def version(self, case_id: UUID) -> int:
        return int(self.one("SELECT version FROM cases WHERE case_id = %(case_id)s", case_id=case_id))

    def request(self, giver: Actor, case_id: UUID, command: Any, **changes: Any) -> ExecuteCommand:
        """A command of staff on the case as it is."""
        values: dict[str, Any] = {"expected_version": None, "idempotency_key": uuid.uuid4().hex, **changes}
        values["expected_version"] = values["expected_version"] or self.version(case_id)
        return ExecuteCommand(actor=giver, case_id=case_id, command=command, **values)

    def do(self, giver: Actor, case_id: UUID, command: Any) -> StaffCase:
        case: StaffCase = self.ask("execute", self.request(giver, case_id, command))
        return case

    def do_as_citizen(self, filed: SubmissionRegistered, command: Any) -> Any:
        bearer = Actor(kind=ActorKind.BEARER, id=filed.code_hash)
        given = {"code_hashes": [filed.code_hash], "idempotency_key": uuid.uuid4().hex, "command": command}
        return self.ask("execute_citizen", ExecuteCitizenCommand(actor=bearer, **given))

    def open(self, **changes: Any) -> SubmissionRegistered:
        """A case, open."""
        filed = submission(**changes)
        self.handle("open_cases", [filed])
        return filed

    def investigated(self, **changes: Any) -> SubmissionRegistered:
        """A case in the inspector's hands."""
        filed = self.open(**changes)
        self.do(self.screener, filed.case_id, StartScreening())
        self.do(self.screener, filed.case_id, Assign(inspector=UUID(self.inspector.id)))
        return filed

    def meanwhile(
        self, action: Callable[[], object], before: str = WRITES_COMMAND
    ) -> AbstractContextManager[list[str]]:
        """Once, before a statement that begins so is sent, the action. The statements sent, without those of the action."""
        return meanwhile(self.db, action, before)
