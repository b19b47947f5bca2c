"""The city that benchmarks are measured in: as the product would have written it, whatever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from backbone.storage import writes
from backbone.storage.database import Database
from backbone.storage.migrate import upgrade
from benchmarks.city.fill import Filler, fill
from contracts.gateway import Actor
from contracts.tracking import Correct, Decide, StartScreening
from contracts.vocabulary import Role, Stage
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.insight.reference import store as insight_store
from services.intake.catalogue import store as intake_store
from services.intake.catalogue.seed import SAMPLE, read
from services.intake.catalogue.use_cases import publish
from services.intake.identities import store as identity_store
from services.intake.identities.vault import Vault
from services.tracking.case.verify_history import broken
from services.tracking.reference import store as reference_store
from tests.support.processes import ROOT, BrokerClient, ServiceProcess, create_database, eventually, prepared
from tests.support.tracking import Office, actor, staff

CASES = 600


class City:
    """Databases of all services with the sample catalogue, and a city in them."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def rows(self, service: str, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.environment[f"DATABASE_URL_{service.upper()}"].replace("+psycopg", "")) as connection:
            return connection.execute(query).fetchall()

    def value(self, service: str, query: str) -> Any:
        return self.rows(service, query)[0][0]


def founded(broker: RabbitMQ, postgres: PostgreSQL, name: str) -> dict[str, str]:
    """The environment of a city in which nobody has filed anything yet; tracking knows its units and its staff."""
    environment = prepared("tracking", broker.url, postgres.url, f"{name}_tracking")
    urls = {"tracking": environment["DATABASE_URL"]}
    for service in ("intake", "notify", "insight", "media", "accounts"):
        urls[service] = create_database(postgres.url, f"{name}_{service}")
        upgrade(service, urls[service])
    with Database(urls["intake"], pool_size=1).transaction() as connection:
        publish(connection, read(SAMPLE))
        catalogue = intake_store.catalogue(connection)
    with Database(urls["tracking"], pool_size=1).transaction() as connection:
        reference_store.keep_catalogue(connection, catalogue)
        for role in (Role.SCREENER, Role.HEAD, *[Role.INSPECTOR] * 40):
            reference_store.keep_staff(connection, staff(actor(role, "mayor.insp")))
    with Database(urls["insight"], pool_size=1).transaction() as connection:
        writes.execute_all(connection, insight_store.keeping_newest_units([catalogue]))
    return environment | {f"DATABASE_URL_{service.upper()}": url for service, url in urls.items()}


@pytest.fixture(scope="module")
def city(broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    town = City(founded(broker, postgres, "city"))
    fill(town.environment, CASES, say=lambda text: None, processes=2)
    process = ServiceProcess("tracking", town.environment, tmp_path_factory.mktemp("city") / "tracking.log").start()
    yield town
    process.stop()


def test_every_chain_of_hashes_holds(city: City) -> None:
    with Database(city.environment["DATABASE_URL_TRACKING"], pool_size=1).read() as connection:
        chains = dict(broken(connection))
    assert len(chains) == CASES
    assert {number: problem for number, problem in chains.items() if problem} == {}


def test_every_service_has_its_rows_of_each_case(city: City) -> None:
    ids = set(city.rows("tracking", "SELECT case_id FROM cases"))
    assert len(ids) == CASES
    assert set(city.rows("intake", "SELECT submission_id FROM submissions")) == ids
    assert set(city.rows("notify", "SELECT case_id FROM contacts")) == ids
    assert set(city.rows("notify", "SELECT case_id FROM cases")) == ids
    stages = "SELECT case_id, stage, unit, ground, kind, outcome, number FROM {}"
    assert set(city.rows("insight", stages.format("facts"))) == set(city.rows("tracking", stages.format("cases")))
    lines = city.value("tracking", "SELECT count(*) FROM timeline")
    assert city.value("insight", "SELECT count(*) FROM transitions") == lines
    assert city.value("notify", "SELECT count(*) FROM messages WHERE state IN ('due', 'sending')") == 0
    query = "SELECT count(*) FROM {} WHERE citizen_id IS NOT NULL"
    assert city.value("intake", "SELECT count(*) FROM identities") == city.value("tracking", query.format("cases"))
    media = set(city.rows("media", "SELECT upload_id FROM uploads"))
    assert media == set(city.rows("tracking", "SELECT media_id FROM attachments")) != set()
    assert city.value("tracking", "SELECT count(DISTINCT number) FROM cases") == CASES
    assert city.value("tracking", "SELECT max(c.n) = max(n.last) FROM case_numbers n, "
                    "(SELECT split_part(number, '-', 2)::int AS n FROM cases) c")  # fmt: skip


def test_cases_are_in_the_stages_of_a_real_city(city: City) -> None:
    stages = dict(city.rows("tracking", "SELECT stage, count(*) FROM cases GROUP BY stage"))
    closed = sum(stages.get(stage, 0) for stage in (Stage.CLOSED, Stage.MERGED, Stage.WITHDRAWN))
    assert 0.85 * CASES < closed < CASES  # most are two years old
    assert set(stages) & {Stage.REGISTERED, Stage.SCREENING, Stage.INVESTIGATING, Stage.AWAITING_UNIT}
    assert city.value("tracking", "SELECT count(DISTINCT outcome) FROM cases") == 5
    assert city.value("tracking", "SELECT count(DISTINCT unit) FROM cases") > 30
    # Of what is over nothing is left to be done by the calendar, and what goes on is not late by a look.
    assert (
        city.value("tracking", "SELECT count(*) FROM cases WHERE next_check_on <= current_date AND stage = 'closed'")
        == 0
    )
    busy = city.rows("tracking", "SELECT extract(hour FROM filed_at AT TIME ZONE 'Asia/Tehran') < 6, count(*) FROM cases "
                     "GROUP BY 1")  # fmt: skip
    assert dict(busy)[True] < CASES / 20


def test_identities_open_like_those_sealed_by_intake(city: City) -> None:
    [row] = city.rows(
        "intake", "SELECT submission_id, master_key, wrapped_key, nonce, ciphertext FROM identities LIMIT 1"
    )
    with Database(city.environment["DATABASE_URL_INTAKE"], pool_size=1).read() as connection:
        sealed = identity_store.identity(connection, UUID(str(row[0])))
    assert sealed is not None
    keys = dict(pair.split(":") for pair in city.environment["IDENTITY_MASTER_KEYS"].split(","))
    opened = Vault({name: bytes.fromhex(key) for name, key in keys.items()}).open(UUID(str(row[0])), sealed)
    assert opened.mobile is not None
    assert opened.mobile.startswith("+98999")


def test_a_case_of_the_city_continues_like_any_other(city: City, broker_client: BrokerClient) -> None:
    # Given a case that waits for its screener or inspector
    office = Office(broker_client, city.environment["DATABASE_URL_TRACKING"])
    office.screener, office.head = (actor(role, "mayor.insp") for role in (Role.SCREENER, Role.HEAD))
    case_id, handler, stage = office.rows(
        "SELECT case_id, handler, stage FROM cases WHERE stage IN ('registered', 'screening', 'investigating') "
        "ORDER BY stage LIMIT 1"
    )[0]
    before = office.get(case_id, office.head)
    assert before["stage"] == stage
    # When they do what comes next
    if stage == Stage.INVESTIGATING:
        who = Actor(kind="staff", id=str(handler), roles=frozenset({Role.INSPECTOR}), unit="mayor.insp")
        after = office.do(who, case_id, Decide(outcome="not_upheld", reasons="بررسی شد."))
        assert after["stage"] == Stage.DECIDED
    else:
        command = StartScreening() if stage == Stage.REGISTERED else Correct(urgent=True)
        assert office.do(office.screener, case_id, command)["version"] == before["version"] + 1
    # Then its chain goes on unbroken, and its code finds it
    with Database(city.environment["DATABASE_URL_TRACKING"], pool_size=1).read() as connection:
        assert dict(broken(connection, case_id)) == {before["number"]: None}
    filler = Filler(city.environment)
    filler.begin(filler.load_or_make_plan(CASES, "qazvin"))
    hashes = {filler.keys.case(index)[2] for index in range(CASES)}
    own = office.value("SELECT code_hash FROM cases WHERE case_id = %s", case_id)
    assert own in hashes
    assert office.view(own)["case_id"] == str(case_id)
    # And the text finds it, too
    assert before["number"] in office.numbers(office.head, text=before["number"])


def test_a_killed_fill_is_completed_without_duplicates(broker: RabbitMQ, postgres: PostgreSQL) -> None:
    town = City(founded(broker, postgres, "killed"))
    command = [sys.executable, "-m", "benchmarks.city.fill", "--cases", str(CASES), "--processes", "2"]
    environment = {**os.environ, **town.environment, "PYTHONPATH": str(ROOT)}
    filling = subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: town.value("insight", "SELECT count(*) FROM facts") > 5, timeout=60)
    finally:
        os.killpg(filling.pid, signal.SIGKILL)
        filling.wait()
    assert 0 < town.value("tracking", "SELECT count(*) FROM cases") < CASES
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for service, table in (
        ("tracking", "cases"),
        ("intake", "submissions"),
        ("notify", "contacts"),
        ("insight", "facts"),
    ):
        assert town.value(service, f"SELECT count(*) FROM {table}") == CASES
    assert town.value("insight", "SELECT count(*) FROM transitions") == town.value(
        "tracking", "SELECT count(*) FROM timeline"
    )
    with Database(town.environment["DATABASE_URL_TRACKING"], pool_size=1).read() as connection:
        assert {problem for _, problem in broken(connection)} == {None}
