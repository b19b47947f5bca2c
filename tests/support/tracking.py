"""What tracking's component tests speak: submissions as intake tells them, staff as accounts tells them, questions by RPC."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from contracts.accounts import StaffChanged
from contracts.base import Contract, now
from contracts.gateway import Actor
from contracts.intake import Catalogue, CatalogueChanged, Ground, SubmissionRegistered, Unit
from contracts.searches import ListCases
from contracts.tracking import (
    Assign,
    Decide,
    ExecuteCitizenCommand,
    ExecuteCommand,
    GetCase,
    StartScreening,
    ViewByCode,
)
from contracts.vocabulary import ActorKind, Channel, Kind, Language, Role
from tests.support.events import account_changed
from tests.support.processes import BrokerClient, ServiceProcess, eventually

UNITS = {
    "mq": None,
    "insp": "mq",
    "dep.urb": "mq",
    "dep.urb.permits": "dep.urb",
    "dep.urb.permits.desk": "dep.urb.permits",
    "dep.urb.control": "dep.urb",
    "dep.civ": "mq",
}
UNIT = "dep.urb.permits"


@contextmanager
def three_of_tracking(environment: dict[str, str], logs: Path) -> Iterator[list[ServiceProcess]]:
    """Three replicas at work, stopped at the end; each has its log in `logs`."""
    processes = [
        ServiceProcess("tracking", environment, logs / f"tracking-{number}.log").start() for number in range(3)
    ]
    yield processes
    for process in processes:
        process.stop()


def catalogue(version: int = 1) -> CatalogueChanged:
    """A small tree with one closed unit, and two grounds."""
    units = [
        Unit(code=code, parent=parent, level="unit", name_fa=f"واحد {code}", name_en=f"Unit {code}")
        for code, parent in UNITS.items()
    ]
    closed = Unit(code="gone", parent="mq", level="unit", name_fa="تعطیل", name_en="Closed", active=False)
    grounds = [
        Ground(code="delay", kinds=[Kind.COMPLAINT, Kind.CRITICISM], name_fa="اطاله", name_en="Delay"),
        Ground(code="conduct", kinds=[Kind.COMPLAINT], name_fa="رفتار", name_en="Conduct"),
        Ground(code="waste", kinds=[Kind.INFORMATION], name_fa="تضییع", name_en="Waste"),
    ]
    whole = Catalogue(version=version, units=[*units, closed], grounds=grounds)
    return CatalogueChanged(id=uuid.uuid4(), occurred_at=now(), catalogue=whole)


def code_hash() -> str:
    return uuid.uuid4().hex * 2


def submission(**changes: Any) -> SubmissionRegistered:
    """A complaint about `UNIT` as intake registers it."""
    unit = changes.get("unit", UNIT)
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "occurred_at": now(),
        "case_id": uuid.uuid4(),
        "code_hash": code_hash(),
        "kind": Kind.COMPLAINT,
        "unit": unit,
        "unit_asked": unit or "nowhere",
        "unit_name_fa": "اداره پروانه",
        "unit_name_en": "Permits Office",
        "ground": "delay",
        "text": "پروانه ساختمان من سه ماه است که صادر نشده است.",
        "channel": Channel.WEB,
        "language": Language.FA,
        "filed_at": now(),
        "anonymous": False,
        "content_hash": "c" * 64,
    }
    return SubmissionRegistered(**values | changes)


def actor(role: Role, unit: str | None = "insp", id_: UUID | None = None) -> Actor:
    """A member of staff as the gateway makes them of a token."""
    return Actor(kind=ActorKind.STAFF, id=str(id_ or uuid.uuid4()), roles=frozenset({role}), unit=unit)


def staff(who: Actor, version: int = 1, **changes: Any) -> StaffChanged:
    """The same person as accounts tells of them."""
    values = {"staff_id": UUID(who.id), "version": version, "roles": sorted(who.roles), "unit": who.unit}
    return account_changed(**values | changes)


def apart_from_looks(view: Mapping[str, Any]) -> dict[str, Any]:
    """A view of staff without what it says of the reader's own looks: these are written soon after, maybe between two reads."""
    return {name: value for name, value in view.items() if name not in ("seen_version", "unread")}


class Office:
    """The people of the tests, who call through `broker_client`. Inspectors are known to tracking once `gather` returns."""

    def __init__(self, broker_client: BrokerClient, database_url: str) -> None:
        self.broker_client = broker_client
        self._url = database_url.replace("+psycopg", "")
        self.head = actor(Role.HEAD)
        self.screener = actor(Role.SCREENER)
        self.inspector = actor(Role.INSPECTOR)
        self.other_inspector = actor(Role.INSPECTOR)
        self.insider = actor(Role.INSPECTOR, unit="dep.urb.permits.desk")
        self.liaison = actor(Role.LIAISON, unit=UNIT)

    def gather(self) -> Office:
        """Tells tracking the catalogue and the staff."""
        self.broker_client.publish_event(catalogue())
        people = [self.head, self.screener, self.inspector, self.other_inspector, self.insider, self.liaison]
        for person in people:
            self.broker_client.publish_event(staff(person))
        eventually(lambda: self.value("SELECT count(*) FROM catalogue") == 1)
        ids = [person.id for person in people]
        eventually(lambda: self.value("SELECT count(*) FROM staff WHERE staff_id = ANY(%s::uuid[])", ids) == len(ids))
        return self

    def set_catalogue(self, version: int, **changes: Any) -> None:
        """Publishes the catalogue as the administrator has just changed it, and waits until tracking has it."""
        changed = catalogue(version).catalogue.model_copy(update=changes)
        changed = type(changed).model_validate(changed.model_dump())
        self.broker_client.publish_event(CatalogueChanged(id=uuid.uuid4(), occurred_at=now(), catalogue=changed))
        eventually(lambda: self.value("SELECT version FROM catalogue") == version)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What tracking's database says."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            return connection.execute(query, parameters).fetchall()

    def value(self, query: str, *parameters: Any) -> Any:
        """The first value of the first row."""
        return self.rows(query, *parameters)[0][0]

    def run(self, query: str) -> None:
        """What nobody but a test (or an intruder) does to the database."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(query)

    def open(self, **changes: Any) -> SubmissionRegistered:
        """A case, open."""
        filed = submission(**changes)
        self.broker_client.publish_event(filed)
        eventually(lambda: self.value("SELECT count(*) FROM cases WHERE case_id = %s", filed.case_id) == 1)
        return filed

    def ask(self, method: str, request: Contract) -> Any:
        return self.broker_client.call("tracking", method, request)

    def get(self, case_id: UUID, who: Actor | None = None) -> Any:
        """The staff's view."""
        return self.ask("get_case", GetCase(actor=who or self.head, case_id=case_id))

    def do(self, who: Actor, case_id: UUID, command: Any, version: int | None = None, key: str | None = None) -> Any:
        """A command of staff, on the case as it is unless `version` says otherwise."""
        if version is None:
            version = self.value("SELECT version FROM cases WHERE case_id = %s", case_id)
        request = ExecuteCommand(
            actor=who,
            case_id=case_id,
            expected_version=version,
            idempotency_key=key or uuid.uuid4().hex,
            command=command,
        )
        return self.ask("execute", request)

    def do_as_citizen(self, code: str, command: Any, key: str | None = None) -> Any:
        """A command of the holder of the code."""
        bearer = Actor(kind=ActorKind.BEARER, id=code)
        request = ExecuteCitizenCommand(
            actor=bearer, code_hashes=[code], idempotency_key=key or uuid.uuid4().hex, command=command
        )
        return self.ask("execute_citizen", request)

    def view(self, code: str) -> Any:
        """The citizen's view."""
        return self.ask("view_by_code", ViewByCode(code_hashes=[code]))

    def page(self, who: Actor, **filters: Any) -> Any:
        """A page of the list of cases. A single kind, unit, ground, handler or outcome stands for a list of it."""
        for name in {"kind", "unit", "ground", "handler", "outcome"} & filters.keys():
            if not isinstance(filters[name], list | tuple):
                filters[name] = [filters[name]]
        return self.ask("list_cases", ListCases(actor=who, **filters))

    def numbers(self, who: Actor, **filters: Any) -> list[str]:
        """The numbers of all cases that a list gives, page by page."""
        numbers, after = [], None
        while True:
            page = self.page(who, after=after, limit=100, **filters)
            numbers += [line["number"] for line in page["items"]]
            after = page["next"]
            if after is None:
                return numbers

    def investigated(self, **changes: Any) -> SubmissionRegistered:
        """A case in the inspector's hands."""
        filed = self.open(**changes)
        self.do(self.screener, filed.case_id, StartScreening())
        self.do(self.screener, filed.case_id, Assign(inspector=UUID(self.inspector.id)))
        return filed

    def decided(self, **changes: Any) -> SubmissionRegistered:
        """A decided case."""
        filed = self.investigated(**changes)
        self.do(self.inspector, filed.case_id, decision())
        return filed


def decision(reasons: str = "پروانه در مهلت صادر نشده است.") -> Decide:
    return Decide(outcome="upheld", reasons=reasons, root_causes=["process"])
