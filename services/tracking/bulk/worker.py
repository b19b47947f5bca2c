"""Bulk commands being carried out, by any number of replicas: a few cases at a time, each by itself.

A case is leased, carried out exactly as a single command of the bulk's owner would be (the same rules, events and entry in the
audit), and what came of it is noted. The command's key is derived from bulk and case: of a worker that was killed in between the
command is given again, and has had its effect. The rights of the owner are those that they have at that moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row
from sqlalchemy.exc import DBAPIError

from backbone.process import logs
from backbone.storage import audit
from backbone.storage.database import Database, is_outage
from contracts.errors import MacroStepRefused, PeygirError, StaleVersion
from contracts.gateway import Actor
from contracts.macros import RunMacro
from contracts.tracking import ExecuteCommand, StaffCase
from contracts.vocabulary import Role
from services.tracking.bulk import store
from services.tracking.bulk.settings import BulkSettings
from services.tracking.bulk.use_cases import owner_of, steps_of, tell
from services.tracking.case.commands_at_once import CommandsAtOnce
from services.tracking.case.use_cases import CaseUseCases
from services.tracking.macros.running import MacroRunner
from services.tracking.reference import store as reference_store

log = logs.get("bulk")

AT_ONCE = 4.0
"""Seconds of work, after which others have their change, and a service that is to stop may."""
MOST_TRIES = 5
"""Workers that may end over one case before it is given up."""
MOST_STALE = 3
"""How often a case that changes meanwhile is tried, where its owner named no version."""
_HIDDEN_PARAMS = frozenset({"changes"})
"""Parameters of errors that hold texts of a case, which a report does not keep."""

Work = Callable[[Connection, Any], StaffCase]


class _Judged(Exception):
    """It could be done, and is undone."""


class BulkWorker:
    """Carries bulk commands out: of one process, one case at a time."""

    def __init__(
        self, cases: CaseUseCases, at_once: CommandsAtOnce, macros: MacroRunner, settings: BulkSettings
    ) -> None:
        self._cases, self._at_once, self._macros = cases, at_once, macros
        self._batch, self._share = settings.bulks_batch, settings.bulks_share / 100
        self._keep = timedelta(seconds=settings.bulks_keep)
        self._lease = timedelta(seconds=settings.bulks_lease)
        self._worker = uuid4()

    def purge(self, connection: Connection) -> int:
        """What is old is gone."""
        return store.purge(connection)

    def work(self, database: Database, pause: Callable[[float], None] = time.sleep) -> bool:
        """A while at what is to be done; False when there is nothing. `pause`: lets others work for so many seconds."""
        ends = time.monotonic() + AT_ONCE
        worked = False
        while time.monotonic() < ends:
            with database.transaction() as connection:
                taken = store.take(connection, self._worker, self._lease, self._batch)
            if taken is None or not taken[1]:
                return self._finish(database) or worked
            self._carry_out(database, *taken, ends, pause)
            worked = True
        return worked

    def _carry_out(
        self, database: Database, bulk: Row[Any], lines: list[Row[Any]], ends: float, pause: Callable[[float], None]
    ) -> None:
        try:
            for line in lines:
                began = time.monotonic()
                if began >= ends:
                    break
                self._do(database, bulk, line)
                pause((time.monotonic() - began) * (1 / self._share - 1))
        finally:
            with database.transaction() as connection:
                store.release(connection, bulk.bulk_id, self._worker)
        with database.transaction() as connection:
            row = store.to_tell(connection, bulk.bulk_id)
            if row is not None:
                tell(connection, row)
        self._finish(database)

    def _do(self, database: Database, bulk: Row[Any], line: Row[Any]) -> None:
        """One case, and what came of it; nothing when it is no longer this worker's to carry out."""
        with database.statements() as connection:
            tried = store.hold(connection, bulk.bulk_id, line.place, self._worker, self._lease)
        if tried is None:
            return
        try:
            if tried > MOST_TRIES:
                raise PeygirError
            after = self._execute(database, bulk, line)
            values: dict[str, Any] = {"result": "succeeded", "version": None if bulk.preview else after.version}
        except PeygirError as error:
            values = {"result": "refused", "refusal": _refusal(error, bulk.macro_id is not None)}
        except Exception as error:
            if isinstance(error, DBAPIError) and is_outage(error):
                raise
            # It is tried again, by whoever is free, and given up in the end.
            log.error("a case of a bulk failed", bulk=str(bulk.bulk_id), place=line.place, error=logs.describe(error))
            return
        with database.statements() as connection:
            store.note(connection, bulk.bulk_id, line.place, self._worker, **values)

    def _execute(self, database: Database, bulk: Row[Any], line: Row[Any]) -> StaffCase:
        """The case after it. PeygirError, as the command alone is refused with."""
        for left in reversed(range(MOST_STALE)):
            with database.read() as connection:
                actor = self._actor(connection, bulk)
                seen = line.expected_version
                version = seen if seen is not None else store.version_of(connection, line.case_id) or 0
            try:
                return self._give(database, bulk, actor, line.case_id, version)
            except StaleVersion:
                if seen is not None or not left:
                    raise
        raise AssertionError("it was given, or refused")

    def _give(self, database: Database, bulk: Row[Any], actor: Actor, case_id: UUID, version: int) -> StaffCase:
        steps = steps_of(bulk)
        about = {"actor": actor, "case_id": case_id, "expected_version": version}
        key = f"bulk:{bulk.bulk_id}:{case_id}"
        if bulk.macro_id is None and steps.steps[0].type != "remind_in_days":
            command = ExecuteCommand.model_validate({**about, "idempotency_key": key, "command": steps.steps[0]})
            if bulk.preview:
                return _judge(database, self._cases.execute, command)
            return audit.command(database, self._cases.execute, command, self._at_once.execute)
        request = RunMacro(**about, macro_id=bulk.macro_id or bulk.bulk_id, idempotency_key=key)
        work = partial(self._macros.run, steps=steps)
        return _judge(database, work, request) if bulk.preview else audit.command(database, work, request)

    def _actor(self, connection: Connection, bulk: Row[Any]) -> Actor:
        """The owner, by their roles as accounts published them last, where it has."""
        owner = owner_of(bulk)
        member = reference_store.member(connection, bulk.owner)
        if member is None:
            return owner
        return owner.model_copy(update={"roles": owner.roles & {Role(role) for role in member.roles}})

    def _finish(self, database: Database) -> bool:
        """Ends what has no case left; whether there was any."""
        with database.transaction() as connection:
            ended = store.finish(connection, self._keep)
            for row in ended:
                tell(connection, row)
                log.info("a bulk is done", bulk=str(row.bulk_id), owner=str(row.owner), cases=row.total)
        return bool(ended)


def _judge(database: Database, work: Work, request: Any) -> StaffCase:
    """The case as it would be; nothing of it stays."""
    judged: list[StaffCase] = []
    try:
        with database.transaction() as connection:
            judged.append(work(connection, request))
            raise _Judged
    except _Judged:
        return judged[0]


def _refusal(error: PeygirError, of_macro: bool) -> dict[str, Any]:
    """What a report keeps of it: without texts of the case, and of the only step of no macro what that is refused with."""
    code, params = error.code, error.params
    if isinstance(error, MacroStepRefused) and not of_macro:
        code, params = params["refusal"], params["refusal_params"]
    return {"code": code, "params": {name: value for name, value in params.items() if name not in _HIDDEN_PARAMS}}
