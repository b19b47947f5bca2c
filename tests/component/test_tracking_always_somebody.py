"""No sequence of departures, moves, role changes, leaves and changes of the tree of units leaves an open case with somebody who
may not handle it, or with nobody who is told and can act."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.base import now
from contracts.errors import PeygirError
from contracts.gateway import Actor
from contracts.leaves import LeaveChanged
from contracts.tracking import AddNote, AskUnit, Assign, GetCase, StartScreening
from contracts.units import UnitTree
from contracts.vocabulary import Role
from deploy.local.parts import PostgreSQL
from tests.support.tracking import UNIT, UNITS, actor, catalogue, staff
from tests.support.tracking_in_process import TrackingInProcess

OWN_UNITS = ("insp", "dep.urb.permits.desk", "dep.civ", None)
ABOUT = (UNIT, "dep.civ", "insp")
people = st.integers(0, 4)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("close"), people, st.none() | people),
        st.tuples(st.just("reopen"), people),
        st.tuples(st.just("role"), people, st.sampled_from([Role.INSPECTOR, Role.SCREENER, Role.SUBSTITUTE])),
        st.tuples(st.just("move"), people, st.sampled_from(OWN_UNITS), st.none() | people),
        st.tuples(st.just("leave"), people, people, st.booleans()),
        st.tuples(st.just("unit"), st.sampled_from(["dep.civ", "insp"]), st.sampled_from(["mq", "dep.urb", UNIT])),
        st.tuples(st.just("assign"), st.sampled_from(ABOUT), people),
        st.tuples(st.just("ask"), st.sampled_from(ABOUT)),
    ),
    max_size=12,
)


class Town(TrackingInProcess):
    """Five of the staff who come and go, and a head and a substitute who stay."""

    def __init__(self, server_url: str, database: str) -> None:
        super().__init__(server_url, database)
        self.catalogue_version = 1
        self.steady = (actor(Role.HEAD, None), actor(Role.SUBSTITUTE, None))
        for person in self.steady:
            self.handle("keep_staff", staff(person))

    def begin(self) -> None:
        self.cast = [actor(Role.INSPECTOR, "insp") for _ in range(5)]
        self.now: dict[UUID, dict[str, Any]] = {
            UUID(who.id): {"roles": [Role.INSPECTOR], "unit": "insp", "active": True} for who in self.cast
        }
        self.staff_version = 0
        self.tree = dict(UNITS)
        self.publish_tree()
        for who in self.cast:
            self.publish(who)
        self.cases = {unit: self.open(unit=unit).case_id for unit in ABOUT}
        for case_id in self.cases.values():
            self.do(self.steady[0], case_id, StartScreening())

    def publish(self, who: Actor, successor: Actor | None = None, **changes: Any) -> None:
        self.staff_version += 1
        state = self.now[UUID(who.id)]
        state.update(changes)
        named = UUID(successor.id) if successor is not None and successor is not who else None
        self.handle("keep_staff", staff(who, version=self.staff_version, successor=named, **state))

    def publish_tree(self) -> None:
        self.catalogue_version += 1
        whole = catalogue(self.catalogue_version)
        units = [
            unit.model_copy(update={"parent": self.tree.get(unit.code, unit.parent)}) for unit in whole.catalogue.units
        ]
        self.handle(
            "keep_catalogue",
            whole.model_copy(update={"catalogue": whole.catalogue.model_copy(update={"units": units})}),
        )

    def take(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("close", who, successor):
                self.publish(self.cast[who], None if successor is None else self.cast[successor], active=False)
            case ("reopen", who):
                self.publish(self.cast[who], active=True)
            case ("role", who, role):
                self.publish(self.cast[who], roles=[role])
            case ("move", who, unit, successor):
                self.publish(self.cast[who], None if successor is None else self.cast[successor], unit=unit)
            case ("leave", who, deputy, over):
                end = now() + timedelta(hours=-1 if over else 1)
                ids = {"staff_id": UUID(self.cast[who].id), "deputy": UUID(self.cast[deputy].id)}
                period = {"starts_at": now() - timedelta(hours=2), "ends_at": end}
                self.handle(
                    "keep_staff",
                    LeaveChanged(id=uuid.uuid4(), occurred_at=now(), leave_id=uuid.uuid4(), version=1, **ids, **period),
                )
            case ("unit", code, parent):
                if parent not in UnitTree(self.tree).below(code):
                    self.tree[code] = parent
                    self.publish_tree()
            case ("assign", about, who):
                self.attempt(self.cases[about], Assign(inspector=UUID(self.cast[who].id)))
            case ("ask", about):
                self.attempt(self.cases[about], AskUnit(text="چرا؟"))

    def attempt(self, case_id: UUID, command: Any) -> None:
        with suppress(PeygirError):
            self.do(self.steady[0], case_id, command)

    def work(self) -> None:
        uses = self.tracking.use_cases.responsibility
        for work in (uses.settle, uses.report_missing_liaisons):
            while True:
                with self.db.transaction() as connection:
                    if not work(connection):
                        break

    def check(self) -> None:
        tree = UnitTree(self.tree)
        for unit, case_id in self.cases.items():
            case = self.ask("get_case", GetCase(actor=self.steady[0], case_id=case_id))
            if case.handler is not None:
                handler = self.now[case.handler]
                assert handler["active"]
                stands_in = Role.SUBSTITUTE in handler["roles"] and unit in tree.about_inspection("insp")
                assert Role.INSPECTOR in handler["roles"] or stands_in
                assert not tree.has_conflict_of_interest(handler["unit"], unit)
            elif case.stage not in ("registered", "screening"):
                # The heads were told when it lost its handler, and can act.
                losses = [
                    entry for entry in case.timeline if entry.entry in ("handler_left", "assigned", "handed_over")
                ]
                assert losses[-1].entry == "handler_left"
                self.do(self.steady[0], case_id, AddNote(text="می‌بینم"))
            waits = case.stage == "awaiting_unit" and case.questions[-1].answered_at is None
            if waits and case.questions[-1].unit not in tree.below(UNIT):  # the liaison answers for these alone
                assert any(entry.entry == "liaison_missing" for entry in case.timeline)
        # Whoever stands in sees what is about the inspection, whatever has become of the others.
        self.ask("get_case", GetCase(actor=self.steady[1], case_id=self.cases["insp"]))


@pytest.fixture
def town(postgres: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setenv("INSPECTION_UNIT", "insp")
    made = Town(postgres.url, f"somebody_{uuid.uuid4().hex[:8]}")
    yield made
    made.db.engine.dispose()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(taken=steps)
def test_an_open_case_always_has_somebody(town: Town, taken: list[tuple[Any, ...]]) -> None:
    town.begin()
    for step in taken:
        town.take(step)
        town.work()
        town.check()
