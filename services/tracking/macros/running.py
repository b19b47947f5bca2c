"""The steps of a macro, given to one case in one transaction: all of them have their effect, or none has."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from backbone.persian.date_text import day_text
from backbone.storage import audit
from contracts.base import Contract
from contracts.errors import MacroStepRefused, PeygirError, StaleVersion, UnknownCase
from contracts.macros import RemindInDays, RunMacro, Step
from contracts.tracking import ExecuteCommand, StaffCase
from contracts.vocabulary import Language
from services.tracking.case import store, views
from services.tracking.case.access import Access
from services.tracking.case.context import Contexts
from services.tracking.case.idempotency import done_before
from services.tracking.case.scope import Scope
from services.tracking.case.use_cases import CaseUseCases
from services.tracking.macros import rules
from services.tracking.macros.store import name_of_ground
from services.tracking.rules import COMMANDS


class Steps(Contract):
    """What is carried out: the steps as they were kept, and the language of their texts."""

    steps: list[Step]
    language: Language = Language.FA


@dataclass(frozen=True)
class MacroRunner:
    """Gives a case the commands of a macro, each judged by its own rules on what the one before it has left."""

    cases: CaseUseCases
    access: Access
    contexts: Contexts

    def run(self, connection: Connection, request: RunMacro, steps: Steps) -> StaffCase:
        """The case after the last step. UnknownCase; StaleVersion for a version that the first step does not find; KeyReused;
        MacroStepRefused. Each step has its own entry in the audit."""
        reader = self.access.reader(connection, request.actor)
        scope = reader.scope
        # All cases at once, in the order of their ids: two macros never wait in a circle.
        others = {COMMANDS.other_case(step) for step in steps.steps if not isinstance(step, RemindInDays)}
        locked = store.lock_for_staff(connection, {request.case_id, *filter(None, others)}, scope)
        if request.case_id not in locked:
            raise UnknownCase
        if done_before(connection, request.actor, request.idempotency_key, request.case_id, steps):
            reading = self.cases.reading(reader)
            case = views.staff_case(connection, request.case_id, scope, after_command=True, reading=reading)
            if case is None:
                raise UnknownCase
            return case
        version, after = request.expected_version, None
        for place, step in enumerate(steps.steps, 1):
            try:
                after = self._give(connection, request, place, version, step, scope, steps.language)
            except PeygirError as error:
                if place == 1 and isinstance(error, StaleVersion):
                    raise
                refusal = {"refusal": error.code, "refusal_params": error.params}
                raise MacroStepRefused(step=place, command=step.type, **refusal) from None
            version = after.version
        assert after is not None
        return after

    def _give(
        self,
        connection: Connection,
        request: RunMacro,
        place: int,
        version: int,
        step: Step,
        scope: Scope,
        language: Language,
    ) -> StaffCase:
        command = ExecuteCommand.model_validate(
            {
                "actor": request.actor,
                "case_id": request.case_id,
                "expected_version": version,
                "idempotency_key": _key_of(request.idempotency_key, place),
                "command": self._command(connection, request, step, scope, language),
            }
        )
        after = self.cases.execute(connection, command)
        audit.append(connection, command, audit.DONE)
        return after

    def _command(
        self, connection: Connection, request: RunMacro, step: Step, scope: Scope, language: Language
    ) -> Contract:
        if not (isinstance(step, RemindInDays) or rules.has_placeholders(step)):
            return step
        case = store.lock_for_staff(connection, [request.case_id], scope).get(request.case_id)
        if case is None:
            raise UnknownCase
        context = self.contexts.of(connection, request.actor, case)
        ground = name_of_ground(connection, case.ground, language)
        return rules.command_of(
            step, rules.Filling(case, step, context, language, ground, partial(day_text, language=language))
        )


def _key_of(key: str, place: int) -> str:
    """The key of one step's command: the same whenever the macro is repeated, and of the length of any key."""
    return hashlib.sha256(f"{key}\n{place}".encode()).hexdigest()
