"""Opening cases: in batches, doubled, in disorder, cut off by kills; two at one case; and the timeline that only grows."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from contracts.errors import StaleVersion
from contracts.tracking import AddNote
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.processes import ROOT, BusClient, ServiceProcess, bus, eventually, prepared
from tests.support.tracking import Office, catalogue, submission


@pytest.fixture(scope="module")
def service(
    broker: RabbitMQ, postgres: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    environment = prepared("tracking", broker.url, postgres.url, "tracking_registrations")
    process = ServiceProcess("tracking", environment, tmp_path_factory.mktemp("tracking") / "tracking.log").start()
    yield process
    process.stop()


@pytest.fixture
def office(service: ServiceProcess, wire: BusClient) -> Office:
    office = Office(wire, service.environment["DATABASE_URL"])
    office.wire.listen("tracking.events")
    return office.gather()


def opened_once(office: Office, ids: list[UUID]) -> bool:
    """Whether each of these cases is there once, and was told of."""
    told = {event["case_id"] for event in office.wire.heard("case.opened.v1")}
    stored = office.one("SELECT count(*) FROM cases WHERE case_id = ANY(%s)", ids)
    return stored == len(ids) and {str(one) for one in ids} <= told


def test_a_batch_opens_each_case_once(office: Office) -> None:
    filed = [submission(uploads=[uuid.uuid4().hex]) for _ in range(450)]
    for one in filed:
        office.wire.event(one)
    for one in filed[:50]:
        office.wire.event(one)  # delivered again
        office.wire.event(one.model_copy(update={"id": uuid.uuid4()}))  # told again
    ids = [one.case_id for one in filed]
    eventually(lambda: opened_once(office, ids), timeout=60)
    eventually(lambda: office.wire.depth("tracking.registrations") == 0)
    told = Counter(event["case_id"] for event in office.wire.heard("case.opened.v1"))
    assert {told[str(one)] for one in ids} == {1}
    entries = office.one("SELECT count(*) FROM timeline WHERE case_id = ANY(%s)", ids)
    media = office.one("SELECT count(*) FROM attachments WHERE case_id = ANY(%s)", ids)
    assert (entries, media) == (450, 450)


def test_numbers_belong_to_the_jalali_year_of_filing(office: Office) -> None:
    new_year = datetime(2026, 3, 20, 20, 30, tzinfo=UTC)  # midnight in Tehran: 1 Farvardin 1405
    old, new = office.open(filed_at=new_year.replace(minute=29)), office.open(filed_at=new_year)
    assert office.get(old.case_id)["number"].startswith("1404-")
    assert office.get(new.case_id)["number"].startswith("1405-")
    numbers = [number for (number,) in office.rows("SELECT number FROM cases")]
    assert len(numbers) == len(set(numbers))
    assert all(len(number) == 11 for number in numbers)


def test_one_bad_registration_does_not_keep_the_others_back(office: Office) -> None:
    first = office.open()
    clash = submission(code_hash=first.code_hash)  # intake sees to it that this never happens
    good = [submission() for _ in range(20)]
    for one in (*good[:10], clash, *good[10:]):
        office.wire.event(one)
    office.wire.publish("intake.events", "submission.registered.v1", b'{"half": ')
    eventually(lambda: opened_once(office, [one.case_id for one in good]))
    eventually(lambda: office.wire.depth("dead-letters") == 1)
    assert not office.rows("SELECT 1 FROM cases WHERE case_id = %s", clash.case_id)


def test_an_older_catalogue_is_old_news_and_a_unit_that_went_stays_known(office: Office) -> None:
    newer = catalogue(version=5)
    shrunk = newer.catalogue.model_copy(update={"units": newer.catalogue.units[:3], "version": 6})
    office.wire.event(newer.model_copy(update={"id": uuid.uuid4(), "catalogue": shrunk}))
    eventually(lambda: office.one("SELECT version FROM catalogue") == 6)
    office.wire.event(newer)
    eventually(lambda: office.wire.depth("tracking.catalogue") == 0)
    assert office.rows("SELECT parent, active FROM units WHERE code = 'dep.urb.permits.desk'") == [
        ("dep.urb.permits", False)
    ]
    office.wire.event(catalogue(version=7))
    eventually(lambda: office.one("SELECT active FROM units WHERE code = 'dep.urb.permits.desk'"))


def test_of_two_commands_at_once_on_one_case_one_wins(office: Office, broker: RabbitMQ) -> None:
    filed = office.investigated()
    version, start, answers = office.get(filed.case_id)["version"], threading.Barrier(2), []

    def note(text: str) -> None:
        with bus(broker.url) as client:
            own = Office(client, office._url)
            own.inspector = office.inspector
            start.wait()
            try:
                answers.append(own.do(own.inspector, filed.case_id, AddNote(text=text), version=version))
            except StaleVersion as stale:
                answers.append(stale)

    threads = [threading.Thread(target=note, args=(text,)) for text in ("یکی", "دیگری")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [stale] = [answer for answer in answers if isinstance(answer, StaleVersion)]
    [won] = [answer for answer in answers if not isinstance(answer, StaleVersion)]
    assert stale.params["current"] == won["version"] == version + 1
    assert stale.params["changes"][0]["details"] == won["timeline"][-1]["details"]


def test_the_same_command_at_once_has_its_effect_once(office: Office, broker: RabbitMQ) -> None:
    filed = office.investigated()
    version, start, answers = office.get(filed.case_id)["version"], threading.Barrier(4), []

    def note() -> None:
        with bus(broker.url) as client:
            own = Office(client, office._url)
            start.wait()
            answers.append(
                own.do(office.inspector, filed.case_id, AddNote(text="یک بار"), version=version, key="at-once-1")
            )

    threads = [threading.Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["version"] for answer in answers] == [version + 1] * 4


def stored(office: Office, ids: list[UUID], share: int) -> bool:
    """Whether at least `share` of these cases are there."""
    found: int = office.one("SELECT count(*) FROM cases WHERE case_id = ANY(%s)", ids)
    return found >= share


def test_killed_at_its_work_it_loses_nothing_and_doubles_nothing(office: Office, service: ServiceProcess) -> None:
    filed = [submission() for _ in range(1_500)]
    for one in filed:
        office.wire.event(one)
    ids = [one.case_id for one in filed]
    for share in (1, 300, 700):
        eventually(partial(stored, office, ids, share), timeout=60)
        service.kill()
        service.start()
    eventually(lambda: opened_once(office, ids), timeout=90)
    eventually(lambda: office.one("SELECT count(*) FROM outbox") == 0)
    assert office.one("SELECT count(*) FROM timeline WHERE case_id = ANY(%s)", ids) == len(ids)
    assert office.wire.depth("dead-letters") == 0
    # Told again at worst, under the same id: consumers take each once.
    told = [event for event in office.wire.heard("case.opened.v1") if UUID(event["case_id"]) in set(ids)]
    assert len({event["id"] for event in told}) == len({event["case_id"] for event in told}) == len(ids)


# --- the timeline ---


def verify(service: ServiceProcess, *arguments: str) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, "-m", "services.tracking.case.verify_history", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": service.environment["DATABASE_URL"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ended.returncode, ended.stdout


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE timeline SET details = '{}'",
        "DELETE FROM timeline",
        "TRUNCATE timeline",
        "DELETE FROM cases",
    ],
)
def test_the_timeline_cannot_be_rewritten(office: Office, statement: str) -> None:
    office.open()
    with pytest.raises(psycopg.Error, match=r"only grows|violates foreign key|referenced in a foreign key"):
        office.run(statement)


def tamper(office: Office, statement: str, *parameters: Any) -> None:
    """As the owner of the database, who can switch the trigger off."""
    with psycopg.connect(office._url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement, parameters)


def test_what_was_tampered_with_is_named(office: Office, service: ServiceProcess) -> None:
    whole, changed, cut = office.decided(), office.decided(), office.decided()
    code, said = verify(service)
    assert code == 0, said
    assert "every chain holds" in said
    tamper(
        office,
        'UPDATE timeline SET details = details || \'{"outcome": "not_upheld"}\' WHERE case_id = %s AND sequence = 4',
        changed.case_id,
    )
    tamper(office, "DELETE FROM timeline WHERE case_id = %s AND sequence = 4", cut.case_id)
    code, said = verify(service)
    assert code == 1
    [first, second, last] = said.splitlines()
    assert {first, second} == {
        f"{office.get(changed.case_id)['number']}: entry 4 is not what was written",
        f"{office.get(cut.case_id)['number']}: it ends at entry 3, not where the case says (4)",
    }
    assert last.endswith("cases checked, 2 broken")
    assert verify(service, "--case", str(whole.case_id)) == (0, "1 cases checked, every chain holds\n")
    assert verify(service, "--case", str(changed.case_id))[0] == 1
    assert verify(service, "--case", str(uuid.uuid4()))[0] == 1


def test_the_log_holds_no_text_and_no_code(office: Office, service: ServiceProcess) -> None:
    secret = "پروانه‌ی محرمانه"
    filed = office.open(text=secret)
    office.view(filed.code_hash)
    log = Path(service.log).read_text()
    assert secret not in log
    assert filed.code_hash not in log
