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
from tests.support.processes import BrokerClient, eventually, open_broker_client

pytestmark = pytest.mark.timeout(240)

ADMINISTRATOR = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.ADMINISTRATOR}))


@pytest.fixture(scope="module")
def office(broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with Office.running(broker, postgres, tmp_path_factory.mktemp("intake"), "intake_configuration") as office:
        yield office


def read(broker_client: BrokerClient) -> Catalogue:
    return Catalogue.model_validate(
        broker_client.call("intake", "get_configuration", GetConfiguration(actor=ADMINISTRATOR))
    )


def change(broker_client: BrokerClient, *changes: Change, version: int | None = None, **more: Any) -> Catalogue:
    seen = read(broker_client).version if version is None else version
    about = {"actor": ADMINISTRATOR, "idempotency_key": uuid4().hex, **more}
    request = ChangeConfiguration(expected_version=seen, changes=list(changes), **about)
    return Catalogue.model_validate(broker_client.call("intake", "change_configuration", request))


def named(code: str, name: str) -> PutUnit:
    return PutUnit(unit=Unit(code=code, parent="mq", level="office", name_fa=name, name_en=name))


def test_unset_configuration_has_its_defaults(office: Office, broker_client: BrokerClient) -> None:
    office.sql("DELETE FROM settings")  # a database of the release before
    catalogue = read(broker_client)
    assert [reason.code for reason in catalogue.refusal_reasons] == list(RefusalReason)
    assert (catalogue.weekend, catalogue.deadlines, catalogue.four_eyes, catalogue.auto_close_days) == (
        [3, 4],
        [],
        [],
        10,
    )


def test_a_change_is_published_completely_and_persists(office: Office, broker_client: BrokerClient) -> None:
    broker_client.record_events("intake.events")
    rules = [DeadlineRule(days=7), DeadlineRule(urgent=True, step="unit", days=1)]
    made = change(broker_client, SetDeadlines(deadlines=rules), SetCalendar(weekend=[4]))

    def published() -> list[dict[str, Any]]:  # the seed's may come late
        events = broker_client.recorded_events("catalogue.changed.v1")
        return [event for event in events if event["catalogue"]["version"] == made.version]

    (event,) = eventually(published)
    published_catalogue = Catalogue.model_validate(event["catalogue"])
    assert published_catalogue == made == read(broker_client)
    assert (published_catalogue.deadlines, published_catalogue.weekend) == (rules, [4])
    assert len(published_catalogue.units) == 100


def test_what_a_change_leaves_out_stays_where_the_item_is_there(office: Office, broker_client: BrokerClient) -> None:
    closed = named("left.out", "یک")
    change(broker_client, closed.model_copy(update={"unit": closed.unit.model_copy(update={"active": False})}))
    change(broker_client, named("left.out", "دو"), kept=["active"])
    change(broker_client, named("left.out.new", "دو"), kept=["active"])
    units = {unit.code: unit for unit in read(broker_client).units}
    assert (units["left.out"].name_fa, units["left.out"].active) == ("دو", False)
    assert units["left.out.new"].active
    change(broker_client, named("left.out", "دو"))
    assert next(unit for unit in read(broker_client).units if unit.code == "left.out").active


def test_of_two_changes_on_the_same_version_one_is_refused_as_stale(
    office: Office, broker_client: BrokerClient, broker: RabbitMQ
) -> None:
    seen, ends = read(broker_client).version, []

    def go(code: str) -> None:
        with open_broker_client(broker.url) as own:
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


def test_a_key_is_valid_for_one_command(office: Office, broker_client: BrokerClient) -> None:
    seen, key = read(broker_client).version, uuid4().hex
    first = change(broker_client, named("once", "میز"), version=seen, idempotency_key=key)
    assert change(broker_client, named("once", "میز"), version=seen, idempotency_key=key) == first
    with pytest.raises(KeyReused):
        change(broker_client, named("once", "دیگر"), version=seen, idempotency_key=key)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_the_service_itself_checks_the_role(office: Office, broker_client: BrokerClient, role: Role) -> None:
    other = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role}))
    with pytest.raises(NotAllowed):
        change(broker_client, named("x", "میز"), actor=other)
    with pytest.raises(NotAllowed):
        broker_client.call("intake", "list_configuration_history", ListConfigurationHistory(actor=other))


def test_the_history_is_paged_and_only_grows(office: Office, broker_client: BrokerClient) -> None:
    for name in ("یک", "دو", "سه"):
        change(broker_client, named("paged", name))
    about = {"actor": ADMINISTRATOR, "what": "units", "code": "paged", "limit": 2}
    page = broker_client.call("intake", "list_configuration_history", ListConfigurationHistory(**about))
    rest = broker_client.call(
        "intake", "list_configuration_history", ListConfigurationHistory(**about, after=int(page["next"]))
    )
    names = [item["after"]["name_fa"] for item in (*page["items"], *rest["items"])]
    assert (names, rest["next"]) == (["سه", "دو", "یک"], None)
    for what in ("UPDATE configuration_history SET by = 'x'", "DELETE FROM configuration_history"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            office.sql(what)


@pytest.fixture
def database(office: Office) -> Iterator[Database]:
    made = Database(office.environment["DATABASE_URL"], pool_size=1)
    yield made
    made.engine.dispose()


ARTICLE_COLUMNS = "code,title_fa,title_en,number,text_fa,valid_from,valid_until\n"
TABLES = {
    "grounds": ("code,kind(s),name_fa,name_en\nlight,complaint|criticism,روشنایی,Lighting\n", "grounds", 1),
    "refusal-reasons": (
        "code,name_fa,name_en,address_fa\nrepeat,تکراری,Again,سامانه ۱۱۱\nno_stamp,بی‌مهر,Without a stamp,\n",
        "refusal_reasons",
        1,
    ),
    "root-causes": ("code,name_fa,name_en,active\nprocess,روال,Process,0\nweather,هوا,Weather,1\n", "root_causes", 1),
    "answer-templates": (
        "code,kind,ground,text_fa,text_en\nlate,complaint,-,دیر شد,It was late\n",
        "answer_templates",
        1,
    ),
    "articles": (
        f"{ARTICLE_COLUMNS}act_1,قانون,Act,۱,متن,۱۳۳۴/۰۴/۱۱,-\nact_2,قانون,Act,۲,متن,1955-07-03,۱۴۰۵/۱۲/۲۹\n",
        "articles",
        2,
    ),
    "outside-bodies": ("code,name_fa,name_en\ncourt,دادگاه,Court\n", "outside_bodies", 1),
    "deadlines": ("kind,ground,urgent,step,days\n-,خالی,yes,decision,۱\ninformation,-,-,decision,30\n", "deadlines", 2),
    "retention": (
        "kind,outcome,identity_months,evidence_months,text_months\ncomplaint,-,۲۴,12,\ncomplaint,upheld,36,36,60\n",
        "retention",
        2,
    ),
    "holidays": ("date,name_fa\n2031-03-21,نوروز\n۱۴۱۰/۰۱/۰۲,نوروز\n", "holidays", 2),
}


@pytest.mark.parametrize("what", sorted(TABLES))
def test_each_kind_of_table_is_accepted(
    broker_client: BrokerClient, database: Database, tmp_path: Path, what: str
) -> None:
    content, listed, new = TABLES[what]
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    before = read(broker_client)
    with database.transaction() as connection:
        done = importing.import_table(connection, what, path)
    after = read(broker_client)
    assert (done.new, done.version) == (new, after.version)
    assert getattr(after, listed) != getattr(before, listed)
    if listed not in ("deadlines", "retention", "holidays"):  # what the table does not name stays
        assert len(getattr(after, listed)) == len(getattr(before, listed)) + new


@pytest.mark.parametrize(
    ("what", "content", "mistakes"),
    [
        ("deadlines", "kind,days\ncomplaint,5\ncomplaint,6\nrumour,x\n", [(4, "days"), (4, "kind")]),
        ("deadlines", "kind,days\ncomplaint,5\ncomplaint,300\n", [(3, None), (3, "days")]),
        (
            "retention",
            "kind,identity_months,evidence_months\nrumour,1,1\ncomplaint,x,1\n",
            [(2, "kind"), (3, "identity_months")],
        ),
        ("holidays", "date\n2031-02-30\n1410/13/01\n", [(2, "date"), (3, "date")]),
        (
            "refusal-reasons",
            "code,name_fa,name_en\nBad Mood,الف,a\nrepeat,-,b\nnew,,c\n",
            [(2, "code"), (3, "name_fa"), (4, "name_fa")],
        ),
        ("grounds", "code,kind(s),name_fa,name_en,questions\na,complaint,الف,a,[{]\n", [(2, "questions")]),
        ("units", "code,parent_code,level,name_fa,name_en\na.b,mq,x,الف,a\na.b,mq,x,الف,a\n", [(3, "code")]),
        ("units", "code,level\na.b,x\ndep.urb,-\n", [(2, "name_en"), (2, "name_fa"), (2, "parent_code"), (3, "level")]),
        (
            "deadlines",
            "Kind,step,days\ncomplaint,decision,15\n,decision,5\ncomplaint,,2\n",
            [(3, "Kind"), (4, "step")],
        ),
        ("deadlines", "kind,ground,urgent,days\ncomplaint,,,15\n", [(2, "ground"), (2, "urgent")]),
        ("retention", "kind,outcome,identity_months,evidence_months\ncomplaint,,1,1\n", [(2, "outcome")]),
        (
            "articles",
            f"{ARTICLE_COLUMNS}a,قانون,Act,۱,متن,someday,-\nb,قانون,Act,۱,متن,1405/01/01,x\nc,قانون,-,۱,متن,1405/01/01,-\n",
            [(2, "valid_from"), (3, "valid_until"), (4, "title_en")],
        ),
        (
            "articles",
            f"{ARTICLE_COLUMNS}b,ق,A,۱,م,1405/01/01,1404/01/01\n",
            [(2, "valid_until")],
        ),
        ("answer-templates", "code,text_fa,text_en,articles\nx,الف,a,nowhere\n", [(2, "articles")]),
        ("answer-templates", "code,kind,ground,text_fa,text_en\nx,,,الف,a\n", [(2, "ground"), (2, "kind")]),
    ],
)
def test_a_table_with_a_mistake_changes_nothing(
    broker_client: BrokerClient,
    database: Database,
    tmp_path: Path,
    what: str,
    content: str,
    mistakes: list[tuple[int, str | None]],
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content, encoding="utf-8")
    before = read(broker_client)
    with pytest.raises(Refused) as refused, database.transaction() as connection:
        importing.import_table(connection, what, path)
    assert [(mistake.row, mistake.column) for mistake in refused.value.mistakes] == mistakes
    assert read(broker_client) == before
