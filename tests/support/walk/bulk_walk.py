"""Commands for many cases, and macros."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from contracts.bulk import CancelBulk, CaseInBulk, GetBulk, ListBulks, ReadBulkReport, StartBulk
from contracts.macros import ChangeMacro, DropMacro, GetMacro, KeepMacro, ListMacros, MacroAudience, RunMacro
from contracts.searches import Filter
from contracts.tracking import AddNote
from contracts.vocabulary import Role
from tests.support.walk.oracle import Person
from tests.support.walk.witness import KEEPS_FOR_ROLES, NOTES_CASES, SAMPLE, SEES_CASES, ServiceWalk
from tests.support.walk.world import World

NOTE = AddNote(text="walked")


def own_and_another(world: World, person: Person, name: str, place: int) -> Iterator[tuple[dict[str, str], None]]:
    """The id of a bulk or a macro (`name`) of this person, if they have one, and of one that is another's, by its place."""
    owners = world.bulks if name == "bulk_id" else {id_: owner for id_, (owner, _) in world.macros.items()}
    own = [id_ for id_, owner in owners.items() if owner == person.id]
    others = [id_ for id_, owner in owners.items() if owner != person.id]
    for id_ in [*own[:1], others[place * 5 % len(others)]]:
        yield {name: str(id_)}, None


class BulkWalk(ServiceWalk):
    """Commands for many cases, and macros."""

    # --- bulk commands ---

    def tracking_start_bulk(self, person: Person) -> None:
        notes = bool(person.roles & NOTES_CASES)
        for case in self.hidden_cases(person)[:SAMPLE]:
            # By its id it is taken, whether or not there is such a case; its turn tells what a single command would.
            for case_id in (case.case_id, uuid.uuid4()):
                _, code = self._start(person, cases=[CaseInBulk(case_id=case_id)])
                self.same(person, "tracking.start_bulk", code is None, notes)
            if not self.oracle.lists(person, case):
                _, code = self._start(person, filters=Filter(number=[case.number]))
                self.same(person, "tracking.start_bulk by number", code, "nothing_selected" if notes else "not_allowed")
        for macro_id, (owner, audience) in self.world.macros.items():
            _, code = self._start(person, step=None, macro_id=macro_id, cases=[CaseInBulk(case_id=uuid.uuid4())])
            granted = self.sees_cases(person) and self._sees_macro(person, owner, audience)
            self.same(person, "tracking.start_bulk of a macro", code is None, granted)

    def _start(self, person: Person, **given: Any) -> tuple[Any, str | None]:
        values = {"step": NOTE, "idempotency_key": uuid.uuid4().hex, **given}
        if person.actor is None or not person.staff:
            _, code = self.ask(person, "tracking.start_bulk", StartBulk(actor=self.actor(person), **values))
            self.refused(person, "tracking.start_bulk", code)
            return None, "not_allowed"
        return self.ask(person, "tracking.start_bulk", StartBulk(actor=person.actor, **values))

    def tracking_list_bulks(self, person: Person) -> None:
        listed, code = self.ask(person, "tracking.list_bulks", ListBulks(actor=self.actor(person), limit=100))
        if not self.sees_cases(person):
            self.refused(person, "tracking.list_bulks", code)
            return
        granted = {bulk_id for bulk_id, owner in self.world.bulks.items() if owner == person.id}
        self.same(person, "tracking.list_bulks", {item.bulk_id for item in listed.items}, granted)
        for item in listed.items:
            self.same(person, "tracking.list_bulks", item.state, "done")

    def tracking_get_bulk(self, person: Person) -> None:
        for bulk_id, owner in self.world.bulks.items():
            _, code = self.ask(person, "tracking.get_bulk", GetBulk(actor=self.actor(person), bulk_id=bulk_id))
            self.same(person, "tracking.get_bulk", code is None, owner == person.id and self.sees_cases(person))

    def tracking_cancel_bulk(self, person: Person) -> None:
        for bulk_id, owner in self.world.bulks.items():
            _, code = self.ask(person, "tracking.cancel_bulk", CancelBulk(actor=self.actor(person), bulk_id=bulk_id))
            self.same(person, "tracking.cancel_bulk", code is None, owner == person.id and self.sees_cases(person))

    def tracking_read_bulk_report(self, person: Person) -> None:
        for bulk_id, owner in self.world.bulks.items():
            request = ReadBulkReport(actor=self.actor(person), bulk_id=bulk_id, limit=100)
            report, code = self.ask(person, "tracking.read_bulk_report", request)
            self.same(person, "tracking.read_bulk_report", code is None, owner == person.id and self.sees_cases(person))
            if report is None:
                continue
            cases = [self.oracle.cases[case_id] for case_id in self.world.bulk_cases[bulk_id]]
            granted = {case.case_id for case in cases if self.oracle.knows(person, case)}
            self.same(person, "tracking.read_bulk_report", {line.case_id for line in report.items} - {None}, granted)
            for line in report.items:
                if line.case_id is None:
                    told = (line.number, line.version, line.refusal.code if line.refusal else None)
                    self.same(person, "tracking.read_bulk_report", told, (None, None, "unknown_case"))

    # --- macros ---

    def _sees_macro(self, person: Person, owner: str, audience: str) -> bool:
        roles = person.roles | (
            {Role.SCREENER, Role.INSPECTOR, Role.HEAD} if Role.SUBSTITUTE in person.roles else set()
        )
        if not self._keeps(person):
            return False
        shared = audience != "nobody" and (audience == "all" or audience in roles)
        return owner == person.id or shared or (audience != "nobody" and bool(person.roles & KEEPS_FOR_ROLES))

    def _keeps(self, person: Person) -> bool:
        return bool(person.roles & (SEES_CASES | KEEPS_FOR_ROLES))

    def _changes_macro(self, person: Person, owner: str, audience: str) -> bool:
        if audience == "nobody":
            return owner == person.id and self._keeps(person)
        return bool(person.roles & KEEPS_FOR_ROLES)

    def tracking_list_macros(self, person: Person) -> None:
        listed, code = self.ask(person, "tracking.list_macros", ListMacros(actor=self.actor(person), limit=100))
        if not self._keeps(person):
            self.refused(person, "tracking.list_macros", code)
            return
        granted = {
            id_ for id_, (owner, audience) in self.world.macros.items() if self._sees_macro(person, owner, audience)
        }
        self.same(person, "tracking.list_macros", {item.macro_id for item in listed.items}, granted)

    def tracking_get_macro(self, person: Person) -> None:
        for macro_id, (owner, audience) in self.world.macros.items():
            _, code = self.ask(person, "tracking.get_macro", GetMacro(actor=self.actor(person), macro_id=macro_id))
            self.same(person, "tracking.get_macro", code is None, self._sees_macro(person, owner, audience))

    def tracking_change_macro(self, person: Person) -> None:
        for macro_id, (owner, audience) in self.world.macros.items():
            values = {"name": "taken", "steps": [NOTE], "audience": MacroAudience(audience), "expected_version": 1}
            request = ChangeMacro(actor=self.actor(person), macro_id=macro_id, **values)
            _, code = self.ask(person, "tracking.change_macro", request)
            self.same(person, "tracking.change_macro", code is None, self._changes_macro(person, owner, audience))

    def tracking_drop_macro(self, person: Person) -> None:
        for macro_id, (owner, audience) in self.world.macros.items():
            request = DropMacro(actor=self.actor(person), macro_id=macro_id, expected_version=1)
            _, code = self.ask(person, "tracking.drop_macro", request)
            self.same(person, "tracking.drop_macro", code is None, self._changes_macro(person, owner, audience))

    def tracking_keep_macro(self, person: Person) -> None:
        for audience in MacroAudience:
            values = {"name": "x", "steps": [NOTE], "audience": audience, "idempotency_key": uuid.uuid4().hex}
            _, code = self.ask(person, "tracking.keep_macro", KeepMacro(actor=self.actor(person), **values))
            may = SEES_CASES if audience is MacroAudience.NOBODY else KEEPS_FOR_ROLES
            self.same(person, f"tracking.keep_macro for {audience}", code is None, bool(person.roles & may))

    def tracking_run_macro(self, person: Person) -> None:
        every = self.world.macros.items()
        visible = [id_ for id_, (owner, audience) in every if self._sees_macro(person, owner, audience)]
        [macro_id, *_] = [*visible, *self.world.macros]
        for case in self.hidden_cases(person):
            self.refused(person, "tracking.run_macro", self._run(person, case.case_id, macro_id, case.row["version"]))

    def _run(self, person: Person, case_id: UUID, macro_id: UUID, version: int) -> str | None:
        values = {"expected_version": version, "idempotency_key": uuid.uuid4().hex}
        request = RunMacro(actor=self.actor(person), case_id=case_id, macro_id=macro_id, **values)
        return self.ask(person, "tracking.run_macro", request)[1]
