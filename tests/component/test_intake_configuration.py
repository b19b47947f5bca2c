"""The configuration in intake: said whole, one change at a time, and a history that only grows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from backbone.storage.database import Database
from backbone.tables.reading import Refused
from contracts.errors import KeyReused, NotAllowed, StaleVersion
from contracts.gateway import Actor
from contracts.intake import (
    Catalogue,
    Change,
    ChangeConfiguration,
    DeadlineRule,
    GetConfiguration,
    ListConfigurationHistory,
    PutUnit,
    SetCalendar,
    SetDeadlines,
    Unit,
)
from contracts.vocabulary import ActorKind, RefusalReason, Role
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.intake.catalogue import importing
from tests.support.intake import Office
from tests.support.processes import BusClient, bus, eventually

pytestmark = pytest.mark.timeout(240)

ADMINISTRATOR = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.ADMINISTRATOR}))


@pytest.fixture(scope="module")
def office(broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office.open(broker, postgres, tmp_path_factory.mktemp("intake"), "intake_configuration")
    office.start()
    yield office
    office.close()


def read(wire: BusClient) -> Catalogue:
    return Catalogue.model_validate(wire.ask("intake", "get_configuration", GetConfiguration(actor=ADMINISTRATOR)))


def change(wire: BusClient, *changes: Change, version: int | None = None, **more: Any) -> Catalogue:
    seen = read(wire).version if version is None else version
    about = {"actor": ADMINISTRATOR, "idempotency_key": uuid4().hex, **more}
    request = ChangeConfiguration(expected_version=seen, changes=list(changes), **about)
    return Catalogue.model_validate(wire.ask("intake", "change_configuration", request))


def named(code: str, name: str) -> PutUnit:
    return PutUnit(unit=Unit(code=code, parent="mq", level="office", name_fa=name, name_en=name))


def test_what_nobody_has_set_yet_stands_as_it_ships(office: Office, wire: BusClient) -> None:
    office.sql("DELETE FROM settings")  # a database of the release before
    found = read(wire)
    assert [reason.code for reason in found.refusal_reasons] == list(RefusalReason)
    assert (found.weekend, found.deadlines, found.four_eyes, found.auto_close_days) == ([3, 4], [], [], 10)


def test_a_change_is_said_whole_and_survives(office: Office, wire: BusClient) -> None:
    wire.listen("intake.events")
    rules = [DeadlineRule(days=7), DeadlineRule(urgent=True, step="unit", days=1)]
    made = change(wire, SetDeadlines(deadlines=rules), SetCalendar(weekend=[4]))
    heard = lambda: [e for e in wire.heard("catalogue.changed.v1") if e["catalogue"]["version"] == made.version]  # noqa: E731  # the seed's may come late
    (event,) = eventually(heard)
    told = Catalogue.model_validate(event["catalogue"])
    assert told == made == read(wire)
    assert (told.deadlines, told.weekend) == (rules, [4])
    assert len(told.units) == 100


def test_of_two_who_saw_the_same_version_one_is_told(office: Office, wire: BusClient, broker: RabbitMQ) -> None:
    seen, ends = read(wire).version, []

    def go(code: str) -> None:
        with bus(broker.url) as own:
            try:
                change(own, named(code, "میز"), version=seen)
                ends.append("done")
            except StaleVersion as error:
                ends.append(str(error.params["changes"][0]["what"]))

    threads = [threading.Thread(target=go, args=(f"both.{number}",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["done", "units"]


def test_a_key_is_good_for_one_command(office: Office, wire: BusClient) -> None:
    seen, key = read(wire).version, uuid4().hex
    first = change(wire, named("once", "میز"), version=seen, idempotency_key=key)
    assert change(wire, named("once", "میز"), version=seen, idempotency_key=key) == first
    with pytest.raises(KeyReused):
        change(wire, named("once", "دیگر"), version=seen, idempotency_key=key)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_the_service_itself_asks_for_the_role(office: Office, wire: BusClient, role: Role) -> None:
    other = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role}))
    with pytest.raises(NotAllowed):
        change(wire, named("x", "میز"), actor=other)
    with pytest.raises(NotAllowed):
        wire.ask("intake", "list_configuration_history", ListConfigurationHistory(actor=other))


def test_the_history_is_read_by_pages_and_only_grows(office: Office, wire: BusClient) -> None:
    for name in ("یک", "دو", "سه"):
        change(wire, named("paged", name))
    about = {"actor": ADMINISTRATOR, "what": "units", "code": "paged", "limit": 2}
    page = wire.ask("intake", "list_configuration_history", ListConfigurationHistory(**about))
    rest = wire.ask("intake", "list_configuration_history", ListConfigurationHistory(**about, after=int(page["next"])))
    names = [one["after"]["name_fa"] for one in (*page["items"], *rest["items"])]
    assert (names, rest["next"]) == (["سه", "دو", "یک"], None)
    for what in ("UPDATE configuration_history SET by = 'x'", "DELETE FROM configuration_history"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            office.sql(what)


@pytest.fixture
def database(office: Office) -> Iterator[Database]:
    made = Database(office.environment["DATABASE_URL"], pool_size=1)
    yield made
    made.engine.dispose()


TABLES = {
    "grounds": ("code,kind(s),name_fa,name_en\nlight,complaint|criticism,روشنایی,Lighting\n", "grounds", 1),
    "refusal-reasons": (
        "code,name_fa,name_en,address_fa\nrepeat,تکراری,Again,سامانه ۱۱۱\nno_stamp,بی‌مهر,Without a stamp,\n",
        "refusal_reasons",
        1,
    ),
    "root-causes": ("code,name_fa,name_en,active\nprocess,روال,Process,0\nweather,هوا,Weather,1\n", "root_causes", 1),
    "answer-templates": (
        "code,kind,ground,text_fa,text_en\nlate,complaint,,دیر شد,It was late\n",
        "answer_templates",
        1,
    ),
    "deadlines": ("kind,ground,urgent,step,days\n,,yes,,۱\ninformation,,,decision,30\n", "deadlines", 2),
    "retention": (
        "kind,outcome,identity_months,evidence_months,text_months\ncomplaint,,۲۴,12,\ncomplaint,upheld,36,36,60\n",
        "retention",
        2,
    ),
    "holidays": ("date,name_fa\n2031-03-21,نوروز\n۱۴۱۰/۰۱/۰۲,نوروز\n", "holidays", 2),
}


@pytest.mark.parametrize("what", sorted(TABLES))
def test_each_kind_of_table_is_taken(wire: BusClient, database: Database, tmp_path: Path, what: str) -> None:
    content, listed, new = TABLES[what]
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    before = read(wire)
    with database.transaction() as connection:
        done = importing.import_table(connection, what, path)
    after = read(wire)
    assert (done.new, done.version) == (new, after.version)
    assert getattr(after, listed) != getattr(before, listed)
    if listed not in ("deadlines", "retention", "holidays"):  # what the table does not name stays
        assert len(getattr(after, listed)) == len(getattr(before, listed)) + new


@pytest.mark.parametrize(
    ("what", "content", "told"),
    [
        ("deadlines", "kind,days\ncomplaint,5\ncomplaint,6\nrumour,x\n", [(4, "days"), (4, "kind")]),
        ("deadlines", "kind,days\ncomplaint,5\ncomplaint,300\n", [(3, None), (3, "days")]),
        (
            "retention",
            "kind,identity_months,evidence_months\nrumour,1,1\ncomplaint,x,1\n",
            [(2, "kind"), (3, "identity_months")],
        ),
        ("holidays", "date\n2031-02-30\n1410/13/01\n", [(2, "date"), (3, "date")]),
        ("refusal-reasons", "code,name_fa,name_en\nBad Mood,الف,a\nrepeat,,b\n", [(2, "code"), (3, "name_fa")]),
        ("grounds", "code,kind(s),name_fa,name_en,questions\na,complaint,الف,a,[{]\n", [(2, "questions")]),
        ("units", "code,parent_code,level,name_fa,name_en\na.b,mq,x,الف,a\na.b,mq,x,الف,a\n", [(3, "code")]),
    ],
)
def test_a_table_with_a_mistake_changes_nothing(
    wire: BusClient, database: Database, tmp_path: Path, what: str, content: str, told: list[tuple[int, str | None]]
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    before = read(wire)
    with pytest.raises(Refused) as refused, database.transaction() as connection:
        importing.import_table(connection, what, path)
    assert [(one.row, one.column) for one in refused.value.mistakes] == told
    assert read(wire) == before
