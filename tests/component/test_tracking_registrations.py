"""Opening cases: in batches, doubled, in disorder, cut off by kills; two at one case; and the timeline that only grows."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from contracts.errors import StaleVersion
from contracts.tracking import AddNote
from deploy.local.parts import RabbitMQ
from tests.support.processes import ServiceProcess, eventually, open_broker_client, run_module
from tests.support.tracking import Office, catalogue, submission


def opened_once(office: Office, ids: list[UUID]) -> bool:
    """Whether each of these cases is there once, and was told of."""
    opened = {event["case_id"] for event in office.broker_client.recorded_events("case.opened.v1")}
    stored = office.value("SELECT count(*) FROM cases WHERE case_id = ANY(%s)", ids)
    return stored == len(ids) and {str(case_id) for case_id in ids} <= opened


def test_a_batch_opens_each_case_once(office: Office) -> None:
    filed = [submission(uploads=[uuid.uuid4().hex]) for _ in range(450)]
    for submitted in filed:
        office.broker_client.publish_event(submitted)
    for submitted in filed[:50]:
        office.broker_client.publish_event(submitted)  # delivered again
        office.broker_client.publish_event(submitted.model_copy(update={"id": uuid.uuid4()}))  # told again
    ids = [submitted.case_id for submitted in filed]
    eventually(lambda: opened_once(office, ids), timeout=60)
    eventually(lambda: office.broker_client.queue_depth("tracking.registrations") == 0)
    opened = Counter(event["case_id"] for event in office.broker_client.recorded_events("case.opened.v1"))
    assert {opened[str(case_id)] for case_id in ids} == {1}
    entries = office.value("SELECT count(*) FROM timeline WHERE case_id = ANY(%s)", ids)
    media = office.value("SELECT count(*) FROM attachments WHERE case_id = ANY(%s)", ids)
    assert (entries, media) == (450, 450)


def test_numbers_belong_to_the_jalali_year_of_filing(office: Office) -> None:
    new_year = datetime(2026, 3, 20, 20, 30, tzinfo=UTC)  # midnight in Tehran: 1 Farvardin 1405
    old, new = office.open(filed_at=new_year.replace(minute=29)), office.open(filed_at=new_year)
    assert office.get(old.case_id)["number"].startswith("1404-")
    assert office.get(new.case_id)["number"].startswith("1405-")
    numbers = [number for (number,) in office.rows("SELECT number FROM cases")]
    assert len(numbers) == len(set(numbers))
    assert all(len(number) == 11 for number in numbers)


def test_one_bad_registration_does_not_delay_the_others(office: Office) -> None:
    first = office.open()
    clash = submission(code_hash=first.code_hash)  # intake sees to it that this never happens
    good = [submission() for _ in range(20)]
    for submitted in (*good[:10], clash, *good[10:]):
        office.broker_client.publish_event(submitted)
    office.broker_client.publish("intake.events", "submission.registered.v1", b'{"half": ')
    eventually(lambda: opened_once(office, [submitted.case_id for submitted in good]))
    eventually(lambda: office.broker_client.queue_depth("dead-letters") == 1)
    assert not office.rows("SELECT 1 FROM cases WHERE case_id = %s", clash.case_id)


def test_an_older_catalogue_is_ignored_and_a_removed_unit_stays_known(office: Office) -> None:
    newer = catalogue(version=5)
    shrunk = newer.catalogue.model_copy(update={"units": newer.catalogue.units[:3], "version": 6})
    office.broker_client.publish_event(newer.model_copy(update={"id": uuid.uuid4(), "catalogue": shrunk}))
    eventually(lambda: office.value("SELECT version FROM catalogue") == 6)
    office.broker_client.publish_event(newer)
    eventually(lambda: office.broker_client.queue_depth("tracking.catalogue") == 0)
    assert office.rows("SELECT parent, active FROM units WHERE code = 'dep.urb.permits.desk'") == [
        ("dep.urb.permits", False)
    ]
    office.broker_client.publish_event(catalogue(version=7))
    eventually(lambda: office.value("SELECT active FROM units WHERE code = 'dep.urb.permits.desk'"))


def test_one_of_two_simultaneous_commands_on_a_case_wins(office: Office, broker: RabbitMQ) -> None:
    filed = office.investigated()
    version, start, answers = office.get(filed.case_id)["version"], threading.Barrier(2), []

    def note(text: str) -> None:
        with open_broker_client(broker.url) as client:
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


def test_a_command_sent_twice_simultaneously_has_its_effect_once(office: Office, broker: RabbitMQ) -> None:
    filed = office.investigated()
    version, start, answers = office.get(filed.case_id)["version"], threading.Barrier(4), []

    def note() -> None:
        with open_broker_client(broker.url) as client:
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
    count: int = office.value("SELECT count(*) FROM cases WHERE case_id = ANY(%s)", ids)
    return count >= share


def test_a_killed_process_loses_and_duplicates_nothing(office: Office, tracking: ServiceProcess) -> None:
    filed = [submission() for _ in range(1_500)]
    for submitted in filed:
        office.broker_client.publish_event(submitted)
    ids = [submitted.case_id for submitted in filed]
    for share in (1, 300, 700):
        eventually(partial(stored, office, ids, share), timeout=60)
        tracking.kill()
        tracking.start()
    eventually(lambda: opened_once(office, ids), timeout=90)
    eventually(lambda: office.value("SELECT count(*) FROM outbox") == 0)
    assert office.value("SELECT count(*) FROM timeline WHERE case_id = ANY(%s)", ids) == len(ids)
    assert office.broker_client.queue_depth("dead-letters") == 0
    # Told again at worst, under the same id: consumers take each once.
    events = [
        event for event in office.broker_client.recorded_events("case.opened.v1") if UUID(event["case_id"]) in set(ids)
    ]
    assert len({event["id"] for event in events}) == len({event["case_id"] for event in events}) == len(ids)


# --- the timeline ---


def verify(tracking: ServiceProcess, *arguments: str) -> tuple[int, str]:
    database = {"DATABASE_URL": tracking.environment["DATABASE_URL"]}
    ended = run_module("services.tracking.case.verify_history", *arguments, environment=database, timeout=120)
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


def test_a_tampered_entry_is_named(office: Office, tracking: ServiceProcess) -> None:
    whole, changed, cut = office.decided(), office.decided(), office.decided()
    code, output = verify(tracking)
    assert code == 0, output
    assert "every chain holds" in output
    tamper(
        office,
        'UPDATE timeline SET details = details || \'{"outcome": "not_upheld"}\' WHERE case_id = %s AND sequence = 4',
        changed.case_id,
    )
    tamper(office, "DELETE FROM timeline WHERE case_id = %s AND sequence = 4", cut.case_id)
    code, output = verify(tracking)
    assert code == 1
    [first, second, last] = output.splitlines()
    assert {first, second} == {
        f"{office.get(changed.case_id)['number']}: entry 4 is not what was written",
        f"{office.get(cut.case_id)['number']}: it ends at entry 3, not where the case says (4)",
    }
    assert last.endswith("cases checked, 2 broken")
    assert verify(tracking, "--case", str(whole.case_id)) == (0, "1 cases checked, every chain holds\n")
    assert verify(tracking, "--case", str(changed.case_id))[0] == 1
    assert verify(tracking, "--case", str(uuid.uuid4()))[0] == 1


def test_the_log_contains_no_text_and_no_code(office: Office, tracking: ServiceProcess) -> None:
    secret = "پروانه‌ی محرمانه"
    filed = office.open(text=secret)
    office.view(filed.code_hash)
    log = Path(tracking.log).read_text()
    assert secret not in log
    assert filed.code_hash not in log
