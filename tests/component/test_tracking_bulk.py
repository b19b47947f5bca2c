"""One command for many cases: each judged by itself, carried out once whoever is killed meanwhile, for its owner alone."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from contracts.base import now
from contracts.bulk import CancelBulk, CaseInBulk, GetBulk, ListBulks, ReadBulkReport, StartBulk
from contracts.errors import (
    InvalidField,
    KeyReused,
    NotAllowed,
    NotFound,
    NothingSelected,
    TooManyBulks,
    TooManyCases,
)
from contracts.exports import DropExport, ExportFormat, GetExport, StartExport
from contracts.gateway import Actor
from contracts.macros import KeepMacro, RemindInDays
from contracts.searches import Filter
from contracts.tracking import AddNote, AskUnit, Assign, Correct, Merge, Refuse, ReturnToScreening, StartScreening
from contracts.vocabulary import Language, Role
from deploy.local.parts import RabbitMQ
from tests.support.processes import ServiceProcess, eventually, open_broker_client
from tests.support.tracking import UNIT, Office, actor, staff, submission

NOTE = AddNote(text="یادداشت گروهی")


@pytest.fixture(scope="module")
def tracking_settings() -> dict[str, str]:
    return {"BULKS_OPEN": "2", "BULKS_MOST_CASES": "150", "BULKS_LEASE": "3", "BULKS_BATCH": "5"}


def ground() -> str:
    return f"g{uuid.uuid4().hex[:12]}"


def file(office: Office, count: int, **changes: Any) -> list[UUID]:
    """So many cases, a second apart; the first filed first."""
    filed = [submission(filed_at=now() + timedelta(seconds=place), **changes) for place in range(count)]
    for submitted in filed:
        office.broker_client.publish_event(submitted)
    ids = [submitted.case_id for submitted in filed]
    eventually(lambda: office.value("SELECT count(*) FROM cases WHERE case_id = ANY(%s)", ids) == count)
    return ids


def start(office: Office, who: Actor, step: Any = None, key: str | None = None, **given: Any) -> Any:
    if "cases" in given:
        given["cases"] = [case if isinstance(case, CaseInBulk) else CaseInBulk(case_id=case) for case in given["cases"]]
    request = StartBulk(actor=who, step=step, idempotency_key=key or uuid.uuid4().hex, **given)
    return office.ask("start_bulk", request)


def ended(office: Office, who: Actor, bulk: Any) -> Any:
    """The bulk when it is over."""

    def over() -> Any:
        state = office.ask("get_bulk", GetBulk(actor=who, bulk_id=bulk["bulk_id"]))
        return state if state["state"] in ("done", "cancelled") else None

    return eventually(over, timeout=90)


def report(office: Office, who: Actor, bulk: Any, limit: int = 100, **given: Any) -> list[Any]:
    """All its lines, page by page."""
    lines: list[Any] = []
    after = None
    while True:
        request = ReadBulkReport(actor=who, bulk_id=bulk["bulk_id"], after=after, limit=limit, **given)
        page = office.ask("read_bulk_report", request)
        lines += page["items"]
        after = page["next"]
        if after is None:
            return lines


def carried_out(office: Office, who: Actor, step: Any = None, **given: Any) -> tuple[Any, list[Any]]:
    """A bulk from beginning to end, and its report."""
    over = ended(office, who, start(office, who, step, **given))
    return over, report(office, who, over)


def entries(office: Office, case_ids: Sequence[UUID], entry: str) -> int:
    query = "SELECT count(*) FROM timeline WHERE case_id = ANY(%s) AND entry = %s"
    return int(office.value(query, list(case_ids), entry))


def test_each_case_is_judged_by_itself_as_a_single_command_would_be(office: Office) -> None:
    fresh = file(office, 2)
    other = office.investigated().case_id
    nowhere = uuid.uuid4()
    hidden = file(office, 1, unit="insp")[0]  # about the head's own unit
    screener = office.screener.model_copy(update={"unit": "insp"})

    over, lines = carried_out(office, screener, StartScreening(), cases=[fresh[0], other, nowhere, hidden, fresh[1]])

    assert (over["state"], over["total"], over["done"], over["succeeded"], over["refused"]) == ("done", 5, 5, 2, 3)
    assert {line["code"]: line["count"] for line in over["refusals"]} == {"wrong_stage": 1, "unknown_case": 2}
    assert [line["place"] for line in lines] == [1, 2, 3, 4, 5]
    told = [(line["case_id"], line["result"], (line["refusal"] or {}).get("code")) for line in lines]
    assert told == [
        (str(fresh[0]), "succeeded", None),
        (str(other), "refused", "wrong_stage"),
        (None, "refused", "unknown_case"),
        (None, "refused", "unknown_case"),
        (str(fresh[1]), "succeeded", None),
    ]
    assert lines[0]["version"] == office.get(fresh[0])["version"]
    assert lines[1]["refusal"]["params"] == {"stage": "investigating", "command": "start_screening"}
    assert entries(office, [*fresh, hidden], "screening_started") == 2


def test_audit_and_events_are_those_of_single_commands(office: Office) -> None:
    [case_id] = file(office, 1)
    other = office.investigated().case_id
    who = actor(Role.SCREENER)
    carried_out(office, who, StartScreening(), cases=[case_id, other])

    query = "SELECT command, subjects, result FROM {} WHERE actor_id = %s"
    audited = eventually(lambda: office.rows(query.format("audit"), who.id) if waits(office, who) == 0 else None)
    results = {(command, subjects[0]): result for command, subjects, result in audited}
    assert results["start_screening", str(case_id)] == "done"
    assert results["start_screening", str(other)] == "wrong_stage"
    assert ("start_bulk", "done") in {(command, result) for command, _, result in audited}
    eventually(lambda: office.value("SELECT count(*) FROM outbox") == 0)
    changed = office.broker_client.recorded_events("case.stage_changed.v1")
    assert [event["case_id"] for event in changed].count(str(case_id)) == 1


def waits(office: Office, who: Actor) -> int:
    return int(office.value("SELECT count(*) FROM audit_waiting WHERE actor_id = %s", who.id))


def test_a_case_that_changed_since_it_was_seen_is_refused_and_one_without_a_version_is_not(office: Office) -> None:
    seen, unseen = file(office, 2)
    for case_id in (seen, unseen):
        office.do(office.screener, case_id, StartScreening())
    cases = [CaseInBulk(case_id=seen, expected_version=1), CaseInBulk(case_id=unseen)]
    _, lines = carried_out(office, office.screener, Correct(urgent=True), cases=cases)
    assert [line["result"] for line in lines] == ["refused", "succeeded"]
    assert lines[0]["refusal"]["code"] == "stale_version"
    assert "changes" not in lines[0]["refusal"]["params"]  # they hold texts of the case


def test_a_search_is_frozen_to_what_it_finds_when_it_is_accepted(office: Office) -> None:
    own = ground()
    filed = file(office, 12, ground=own)
    bulk = start(office, office.screener, StartScreening(), filters=Filter(ground=[own]))
    later = file(office, 1, ground=own)
    over = ended(office, office.screener, bulk)
    assert (over["total"], over["succeeded"]) == (12, 12)
    newest_first = [line["case_id"] for line in report(office, office.screener, over, limit=5)]
    assert newest_first == [str(case_id) for case_id in reversed(filed)]
    assert entries(office, later, "screening_started") == 0


def test_kinds_of_commands(office: Office) -> None:
    ids = file(office, 4)
    carried_out(office, office.screener, StartScreening(), cases=ids)
    carried_out(office, office.screener, Correct(urgent=True, unit="dep.civ"), cases=ids)
    refusal = Refuse(reason="outside_remit", explanation="با ما نیست.")
    carried_out(office, office.screener, refusal, cases=ids[:1])
    over, _ = carried_out(office, office.screener, Merge(into=ids[1]), cases=[ids[2]])
    assert over["succeeded"] == 1
    carried_out(office, office.screener, Assign(inspector=UUID(office.inspector.id)), cases=[ids[1], ids[3]])
    stages = {case_id: office.get(case_id)["stage"] for case_id in ids}
    assert list(stages.values()) == ["refused", "investigating", "merged", "investigating"]
    assert all(office.get(case_id)["urgent"] for case_id in ids)
    over, lines = carried_out(office, office.inspector, RemindInDays(working_days=3, text="پیگیری"), cases=ids)
    assert Counter(line["result"] for line in lines) == {"succeeded": 2, "refused": 2}
    assert {line["refusal"]["code"] for line in lines if line["refusal"]} == {"unknown_case"}
    assert office.value("SELECT count(*) FROM reminders WHERE case_id = ANY(%s)", ids) == 2


def test_what_leaves_its_owners_sight_by_the_command_itself_has_succeeded(office: Office) -> None:
    case_id = office.investigated().case_id
    over, [line] = carried_out(office, office.inspector, ReturnToScreening(reason="واحد دیگر"), cases=[case_id])
    assert over["succeeded"] == 1
    assert (line["result"], line["case_id"], line["number"]) == ("succeeded", None, None)


def test_a_preview_judges_and_does_nothing(office: Office) -> None:
    fresh = file(office, 2)
    over_already = office.investigated().case_id
    cases = [*fresh, over_already]
    before = office.rows("SELECT case_id, version FROM cases WHERE case_id = ANY(%s) ORDER BY 1", cases)
    over, lines = carried_out(office, office.screener, StartScreening(), cases=cases, preview=True)
    assert over["preview"]
    assert [line["result"] for line in lines] == ["succeeded", "succeeded", "refused"]
    assert office.rows("SELECT case_id, version FROM cases WHERE case_id = ANY(%s) ORDER BY 1", cases) == before
    assert entries(office, fresh, "screening_started") == 0
    over, _ = carried_out(office, office.screener, StartScreening(), cases=cases)  # no key was used
    assert over["succeeded"] == 2


def test_a_macro_is_given_to_many_as_it_was_when_it_was_accepted(office: Office) -> None:
    cases = [office.investigated().case_id for _ in range(2)]
    [unread] = file(office, 1)
    steps = [AskUnit(text="{greeting}، پرونده {number}؟"), RemindInDays(working_days=5, text="پیگیری")]
    macro = office.ask(
        "keep_macro",
        KeepMacro(actor=office.head, name="پرسش", steps=steps, idempotency_key=uuid.uuid4().hex),
    )
    over, lines = carried_out(office, office.head, macro_id=macro["macro_id"], cases=[*cases, unread])
    assert (over["command"], over["macro_name"]) == (None, "پرسش")
    assert [line["result"] for line in lines] == ["succeeded", "succeeded", "refused"]
    assert lines[2]["refusal"]["code"] == "macro_step_refused"
    assert lines[2]["refusal"]["params"]["refusal"] == "wrong_stage"
    texts = {str(case_id): office.value("SELECT text FROM questions WHERE case_id = %s", case_id) for case_id in cases}
    assert texts == {str(case_id): f"با سلام و احترام، پرونده {office.get(case_id)['number']}؟" for case_id in cases}


def test_its_owner_alone_sees_it(office: Office) -> None:
    [case_id] = file(office, 1)
    carried_out(office, office.screener, Correct(urgent=True), cases=[case_id])
    over, _ = carried_out(office, office.screener, StartScreening(), cases=[case_id])
    for other in (office.head, actor(Role.SCREENER)):
        for method, request in (
            ("get_bulk", GetBulk(actor=other, bulk_id=over["bulk_id"])),
            ("read_bulk_report", ReadBulkReport(actor=other, bulk_id=over["bulk_id"])),
            ("cancel_bulk", CancelBulk(actor=other, bulk_id=over["bulk_id"])),
        ):
            with pytest.raises(NotFound):
                office.ask(method, request)
        listed = office.ask("list_bulks", ListBulks(actor=other))["items"]
        assert over["bulk_id"] not in [item["bulk_id"] for item in listed]
    own = office.ask("list_bulks", ListBulks(actor=office.screener, limit=1))
    assert [item["bulk_id"] for item in own["items"]] == [over["bulk_id"]]
    assert own["next"]


def test_who_moves_to_the_unit_finds_its_cases_in_the_report_no_more(office: Office) -> None:
    who = actor(Role.SCREENER)
    office.broker_client.publish_event(staff(who))
    eventually(lambda: office.rows("SELECT 1 FROM staff WHERE staff_id = %s", who.id))
    case_id, other = file(office, 2)[0], office.investigated().case_id
    over, lines = carried_out(office, who, StartScreening(), cases=[case_id, other])
    assert all(line["number"] for line in lines)
    office.broker_client.publish_event(staff(who, version=2, unit=UNIT))
    eventually(lambda: office.value("SELECT unit FROM staff WHERE staff_id = %s", who.id) == UNIT)
    lines = report(office, who, over)
    assert [(line["case_id"], line["number"], line["version"]) for line in lines] == [(None, None, None)] * 2
    assert [line["result"] for line in lines] == ["succeeded", "refused"]
    assert lines[1]["refusal"] == {"code": "unknown_case", "params": {}}


def test_what_is_wrong_with_a_request_is_said_at_once(office: Office) -> None:
    [case_id] = file(office, 1)
    own = ground()
    for given, reason in (
        ({"cases": [case_id]}, "step_or_macro"),
        ({"step": StartScreening(), "macro_id": uuid.uuid4(), "cases": [case_id]}, "step_or_macro"),
        ({"step": StartScreening()}, "cases_or_search"),
        ({"step": StartScreening(), "cases": [case_id], "filters": Filter()}, "cases_or_search"),
        ({"step": StartScreening(), "cases": [case_id, case_id]}, "twice"),
        ({"step": StartScreening(), "filters": Filter(number=["x"])}, "not_a_case_number"),
    ):
        with pytest.raises(InvalidField) as raised:
            start(office, office.screener, **given)
        assert raised.value.params["fields"][0]["reason"] == reason
    with pytest.raises(NothingSelected):
        start(office, office.screener, StartScreening(), filters=Filter(ground=[own]))
    with pytest.raises(NotFound):
        start(office, office.screener, macro_id=uuid.uuid4(), cases=[case_id])
    with pytest.raises(NotAllowed):
        start(office, office.inspector, StartScreening(), cases=[case_id])  # never theirs to give
    for role in (Role.ANALYST, Role.LIAISON, Role.ADMINISTRATOR, Role.OPERATOR):
        with pytest.raises(NotAllowed):
            start(office, actor(role), NOTE, cases=[case_id])
    file(office, 151, ground=own)
    with pytest.raises(TooManyCases) as too_many:
        start(office, office.screener, StartScreening(), filters=Filter(ground=[own]))
    assert too_many.value.params == {"limit": 150, "found": 151}


def test_repeated_with_its_key_it_is_the_same(office: Office) -> None:
    case_id = office.investigated().case_id
    key = uuid.uuid4().hex
    first = start(office, office.head, NOTE, key, cases=[case_id])
    ended(office, office.head, first)
    assert start(office, office.head, NOTE, key, cases=[case_id])["bulk_id"] == first["bulk_id"]
    with pytest.raises(KeyReused):
        start(office, office.head, AddNote(text="دیگر"), key, cases=[case_id])
    assert entries(office, [case_id], "note_added") == 1


@pytest.fixture
def slow_commands(office: Office) -> Iterator[None]:
    """A database that takes its time over each command, so that there is a midst to stop in."""
    office.run(
        """
        CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON timeline FOR EACH ROW WHEN (NEW.entry = 'note_added')
        EXECUTE FUNCTION take_time()
        """
    )
    yield
    office.run("DROP FUNCTION take_time() CASCADE")


def done_of(office: Office, bulk: Any) -> int:
    """How many of its cases are over."""
    query = "SELECT count(*) FROM bulk_cases WHERE bulk_id = %s AND result IS NOT NULL"
    return int(office.value(query, bulk["bulk_id"]))


def has_done(office: Office, bulk: Any, count: int) -> bool:
    return done_of(office, bulk) >= count


def at_work(office: Office, count: int) -> list[UUID]:
    """So many cases under investigation."""
    ids = file(office, count)
    carried_out(office, office.screener, StartScreening(), cases=ids)
    carried_out(office, office.screener, Assign(inspector=UUID(office.inspector.id)), cases=ids)
    return ids


@pytest.mark.usefixtures("slow_commands")
def test_several_replicas_carry_each_command_out_once_despite_kills(
    office: Office, tracking: ServiceProcess, broker: RabbitMQ, tracking_environment: dict[str, str], tmp_path: Path
) -> None:
    ids = at_work(office, 60)
    replicas = [
        ServiceProcess("tracking", tracking_environment, tmp_path / f"other{number}.log").start() for number in range(2)
    ]
    try:
        with open_broker_client(broker.url) as line:
            bulk = start(Office(line, tracking_environment["DATABASE_URL"]), office.head, NOTE, cases=ids)
        for process in (replicas[0], tracking, replicas[1]):
            eventually(partial(has_done, office, bulk, done_of(office, bulk) + 4), timeout=60)
            process.kill()
        assert done_of(office, bulk) < 60, "there is something left to go on with"
        for process in (*replicas, tracking):
            process.start()
        with open_broker_client(broker.url) as line:
            after = Office(line, tracking_environment["DATABASE_URL"])
            over = ended(after, office.head, bulk)
            lines = report(after, office.head, over)
        assert (over["total"], over["succeeded"], over["refused"]) == (60, 60, 0), over
        assert {line["case_id"] for line in lines} == {str(case_id) for case_id in ids}
        noted = "SELECT case_id, count(*) FROM timeline WHERE case_id = ANY(%s) AND entry = 'note_added' GROUP BY 1"
        assert dict(office.rows(noted, ids)) == dict.fromkeys(ids, 1)
        worked = "SELECT steps IS NULL FROM bulks WHERE bulk_id = %s"
        assert office.value(worked, bulk["bulk_id"]), "its texts are gone once it is over"
    finally:
        for process in replicas:
            process.stop()


def test_killed_between_a_command_and_its_result_it_is_given_again_and_found_done(
    office: Office, tracking: ServiceProcess, broker: RabbitMQ, tracking_environment: dict[str, str]
) -> None:
    case_id = office.investigated().case_id
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
    with psycopg.connect(office._url, autocommit=True) as other:
        other.execute(
            "CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_advisory_xact_lock(43); RETURN NEW; END $$"
        )
        other.execute(
            "CREATE TRIGGER held BEFORE UPDATE ON bulk_cases FOR EACH ROW WHEN (NEW.result IS NOT NULL)"
            " EXECUTE FUNCTION wait_here()"
        )
        other.execute("SELECT pg_advisory_lock(43)")
        bulk = start(office, office.head, NOTE, cases=[case_id])
        eventually(lambda: office.value(waiting) == 1)
        tracking.kill()
        office.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'")
        assert entries(office, [case_id], "note_added") == 1
        assert done_of(office, bulk) == 0
        other.execute("DROP FUNCTION wait_here() CASCADE")
    tracking.start()
    with open_broker_client(broker.url) as line:
        over = ended(Office(line, tracking_environment["DATABASE_URL"]), office.head, bulk)
    assert (over["succeeded"], over["refused"]) == (1, 0)
    assert entries(office, [case_id], "note_added") == 1
    assert office.value("SELECT tries FROM bulk_cases WHERE bulk_id = %s", bulk["bulk_id"]) == 2


@pytest.mark.usefixtures("slow_commands")
def test_the_rest_is_cancelled_and_others_are_answered_meanwhile(office: Office) -> None:
    ids = at_work(office, 100)
    bulk = start(office, office.head, NOTE, cases=ids)
    state = GetBulk(actor=office.head, bulk_id=bulk["bulk_id"])
    eventually(lambda: office.ask("get_bulk", state)["done"] > 2)
    # A small one that came later, and a single command, do not wait for the large one.
    small, _ = carried_out(office, office.inspector, NOTE, cases=ids[-1:])
    office.do(office.inspector, ids[-2], NOTE)
    assert small["succeeded"] == 1
    assert office.ask("get_bulk", state)["state"] == "running"

    cancelled = office.ask("cancel_bulk", CancelBulk(actor=office.head, bulk_id=bulk["bulk_id"]))

    assert cancelled["state"] == "cancelled"
    assert cancelled["finished_at"]
    left = office.ask("cancel_bulk", CancelBulk(actor=office.head, bulk_id=bulk["bulk_id"]))
    assert left["cancelled"] + left["succeeded"] + left["refused"] == 100
    carried_out(office, office.inspector, NOTE, cases=ids[:1])  # the worker is free, and past what it was at
    results = Counter(line["result"] for line in report(office, office.head, bulk))
    noted = "SELECT count(*) FROM timeline WHERE case_id = ANY(%s) AND entry = 'note_added' AND actor_id = %s"
    assert results["succeeded"] == office.value(noted, ids, office.head.id)
    assert results["cancelled"] > 0


@pytest.mark.usefixtures("slow_commands")
def test_rights_are_those_of_the_moment_and_bulks_under_way_are_limited(office: Office) -> None:
    who = actor(Role.HEAD)
    office.broker_client.publish_event(staff(who))
    eventually(lambda: office.rows("SELECT 1 FROM staff WHERE staff_id = %s", who.id))
    ids = at_work(office, 100)
    bulks = [start(office, who, NOTE, cases=ids) for _ in range(2)]
    with pytest.raises(TooManyBulks) as raised:
        start(office, who, NOTE, cases=ids[:1])
    assert raised.value.params == {"limit": 2}
    done = "SELECT count(*) FROM bulk_cases WHERE bulk_id = %s AND result = 'succeeded'"
    eventually(lambda: office.value(done, bulks[0]["bulk_id"]) > 0)
    office.broker_client.publish_event(staff(who, version=2, active=False))
    counts = "SELECT coalesce(refusal->>'code', result), count(*) FROM bulk_cases WHERE bulk_id = %s GROUP BY 1"
    over = "SELECT count(*) FROM bulks WHERE owner = %s AND state = 'done'"
    eventually(lambda: office.value(over, who.id) == 2, timeout=90)
    results = dict(office.rows(counts, bulks[0]["bulk_id"]))
    assert set(results) == {"succeeded", "not_allowed"}, results


def test_its_owner_is_told_now_and_then_and_at_its_end(office: Office) -> None:
    ids = file(office, 12)
    over, _ = carried_out(office, office.screener, StartScreening(), cases=ids)

    def last() -> Any:
        told = [
            event
            for event in office.broker_client.recorded_events("bulk.progressed.v1")
            if event["bulk_id"] == over["bulk_id"]
        ]
        return told if told and told[-1]["state"] == "done" else None

    events = eventually(last)
    assert (events[-1]["done"], events[-1]["succeeded"], events[-1]["owner"]) == (12, 12, office.screener.id)
    assert len(events) < 12


def test_old_ones_are_purged(office: Office) -> None:
    [case_id] = file(office, 1)
    over, _ = carried_out(office, office.screener, StartScreening(), cases=[case_id])
    assert over["expires_at"] > over["finished_at"]
    office.run(f"UPDATE bulks SET expires_at = now() - interval '1 s' WHERE bulk_id = '{over['bulk_id']}'")
    with pytest.raises(NotFound):
        eventually(
            lambda: office.ask("get_bulk", GetBulk(actor=office.screener, bulk_id=over["bulk_id"])) is None,
            timeout=90,
        )


def test_an_export_of_selected_cases(office: Office) -> None:
    ids = file(office, 3)
    chosen = [ids[0], ids[2], uuid.uuid4()]
    request = StartExport(
        actor=office.head,
        filters=Filter(ids=chosen),
        format=ExportFormat.CSV,
        language=Language.EN,
        idempotency_key=uuid.uuid4().hex,
    )
    export_id = office.ask("start_export", request)["export_id"]

    def done() -> Any:
        export = office.ask("get_export", GetExport(actor=office.head, export_id=export_id))
        return export if export["state"] == "done" else None

    assert eventually(done, timeout=60)["rows_total"] == 2
    office.ask("drop_export", DropExport(actor=office.head, export_id=export_id))
