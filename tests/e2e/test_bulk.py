"""One command for many cases: each judged by itself, with progress and a report, for its owner alone."""

from __future__ import annotations

import csv
import io
import json
import threading
import uuid
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.e2e.people import JSON, Officer, Town, good
from tests.support.processes import eventually


def filed(
    town: Town, count: int = 1, unit: str = "dep.urb.permits", text: str = "پروانه من صادر نشده است."
) -> list[str]:
    """So many cases about this unit, registered."""
    about = {"kind": "criticism", "unit": unit, "ground": "delay", "text": text}
    return [str(town.file(town.caller(), **about).view()["case_id"]) for _ in range(count)]


def started(officer: Officer, step: JSON | None, cases: Sequence[str | JSON] = (), **body: Any) -> JSON:
    named = {"cases": [{"case_id": case} if isinstance(case, str) else case for case in cases]} if cases else {}
    accepted = officer.caller.post("/v1/cases/bulk", {"step": step, **named, **body})
    bulk: JSON = good(accepted, 202)
    assert accepted.headers["Location"] == f"/v1/cases/bulk/{bulk['bulk_id']}"
    return bulk


def ended(officer: Officer, bulk: JSON) -> JSON:
    def over() -> JSON | None:
        state: JSON = good(officer.caller.get(f"/v1/cases/bulk/{bulk['bulk_id']}"))
        return state if state["finished_at"] else None

    return eventually(over, timeout=90)


def report(officer: Officer, bulk: JSON, **query: Any) -> list[JSON]:
    """Its lines, by pages of two."""
    lines: list[JSON] = []
    after = None
    while True:
        more = {**query, **({"after": after} if after else {})}
        page = good(officer.caller.get(f"/v1/cases/bulk/{bulk['bulk_id']}/report", limit=2, **more))
        lines += page["items"]
        after = page["next"]
        if after is None:
            return lines


def done(officer: Officer, step: JSON, cases: Sequence[str], **body: Any) -> list[JSON]:
    return report(officer, ended(officer, started(officer, step, cases, **body)))


def test_first_reading_urgency_assignment_questions_notes_and_refusal_of_many(town: Town) -> None:
    screener, head = town.officer("screener"), town.officer("head")
    inspector = town.officer("inspector")
    cases = filed(town, 4)
    *kept, refused = cases
    steps: list[tuple[Officer, JSON, list[str]]] = [
        (screener, {"type": "start_screening"}, cases),
        (screener, {"type": "correct", "urgent": True, "unit": "dep.civ.roads"}, cases),
        (screener, {"type": "refuse", "reason": "outside_remit", "explanation": "با ما نیست."}, [refused]),
        (screener, {"type": "assign", "inspector": inspector.staff_id}, kept),
        (inspector, {"type": "add_note", "text": "یک‌جا خوانده شد."}, kept),
        (inspector, {"type": "remind_in_days", "working_days": 3, "text": "پیگیری"}, kept),
        (inspector, {"type": "ask_unit", "text": "علت چیست؟", "unit": "dep.urb.permits"}, kept),
    ]
    for officer, step, selected in steps:
        lines = done(officer, step, selected)
        assert [line["result"] for line in lines] == ["succeeded"] * len(selected), (step, lines)
    for case_id in kept:
        case = head.read(case_id)
        assert (case["stage"], case["urgent"], case["unit"]) == ("awaiting_unit", True, "dep.civ.roads")
        assert case["handler"] == inspector.staff_id
        given = [(entry["entry"], entry["actor_id"]) for entry in case["timeline"]]
        assert ("note_added", inspector.staff_id) in given
        assert ("screening_started", screener.staff_id) in given
    assert head.read(refused)["stage"] == "refused"
    assert done(head, {"type": "close"}, [refused])[0]["result"] == "succeeded"


def test_a_case_that_cannot_be_done_stops_no_other_and_says_why_in_the_readers_language(town: Town) -> None:
    screener = town.officer("screener")
    first, second = filed(town, 2)
    screener.do(second, "screening")
    about_its_own_unit = town.officer("screener.permits")
    bulk = ended(screener, started(screener, {"type": "start_screening"}, [second, str(uuid.uuid4()), first]))

    assert (bulk["state"], bulk["total"], bulk["done"], bulk["succeeded"], bulk["refused"]) == ("done", 3, 3, 1, 2)
    refusals = {line["code"]: (line["count"], line["label"]) for line in bulk["refusals"]}
    assert set(refusals) == {"wrong_stage", "unknown_case"}
    assert all(count == 1 and label for count, label in refusals.values())
    in_stage, unknown, fine = report(screener, bulk)
    assert (in_stage["place"], in_stage["code"], in_stage["case_id"]) == (1, "wrong_stage", second)
    assert in_stage["number"] == screener.read(second)["number"]
    alone = good(
        screener.caller.post(f"/v1/cases/{second}/screening", {}, version=screener.read(second)["version"]), 409
    )
    assert in_stage["detail"] == alone["detail"]
    english = town.caller("en", token=screener.caller.token)
    shown = good(english.get(f"/v1/cases/bulk/{bulk['bulk_id']}/report", result="refused"))["items"]
    assert [line["place"] for line in shown] == [1, 2]
    assert shown[0]["detail"] != in_stage["detail"]
    assert "First reading" in shown[0]["detail"]
    assert (unknown["code"], unknown["case_id"], unknown["number"]) == ("unknown_case", None, None)
    assert (fine["result"], fine["version"]) == ("succeeded", screener.read(first)["version"])

    # Whoever belongs to the unit complained about finds out no more than by reading the case.
    [hidden] = done(about_its_own_unit, {"type": "start_screening"}, [first])
    assert (hidden["code"], hidden["case_id"], hidden["number"]) == ("unknown_case", None, None)
    for other in (about_its_own_unit, town.officer("head")):
        for path in ("", "/report"):
            assert good(other.caller.get(f"/v1/cases/bulk/{bulk['bulk_id']}{path}"), 404)["code"] == "not_found"
        cancelled = other.caller.post(f"/v1/cases/bulk/{bulk['bulk_id']}/cancellation", {})
        assert good(cancelled, 404)["code"] == "not_found"


def test_all_that_a_search_finds_with_a_preview_first(town: Town) -> None:
    screener = town.officer("screener")
    word = f"واژه{uuid.uuid4().int % 10**9}"
    cases = filed(town, 5, text=f"پروانه من صادر نشده است {word}")
    screener.do(cases[0], "screening")
    search: JSON = {"filters": {"text": word}}

    judged = ended(screener, started(screener, {"type": "start_screening"}, **search, preview=True))
    assert (judged["total"], judged["succeeded"], judged["refused"]) == (5, 4, 1)
    assert [screener.read(case_id)["stage"] for case_id in cases[1:]] == ["registered"] * 4

    kept = good(screener.caller.post("/v1/searches", {"name": word, **search}), 201)
    narrowed: JSON = {"filters": {"stage": ["registered"]}, "search": kept["search_id"]}
    bulk = ended(screener, started(screener, {"type": "start_screening"}, **narrowed))
    assert (bulk["total"], bulk["succeeded"]) == (4, 4)
    assert {screener.read(case_id)["stage"] for case_id in cases} == {"screening"}
    none = screener.caller.post("/v1/cases/bulk", {"step": {"type": "start_screening"}, **narrowed})
    assert good(none, 409)["code"] == "nothing_selected"


def test_a_version_that_was_seen_holds_and_a_key_makes_it_one(town: Town) -> None:
    screener = town.officer("screener")
    [case_id] = filed(town)
    seen = screener.read(case_id)["version"]
    screener.do(case_id, "screening")
    urgent = {"type": "correct", "urgent": True}
    bulk = started(screener, urgent, cases=[{"case_id": case_id, "expected_version": seen}])
    [stale] = report(screener, ended(screener, bulk))
    assert stale["code"] == "stale_version"
    body = {"step": urgent, "cases": [{"case_id": case_id}]}
    key = uuid.uuid4().hex
    first, again = (good(screener.caller.post("/v1/cases/bulk", body, key=key), 202) for _ in range(2))
    assert first["bulk_id"] == again["bulk_id"]
    ended(screener, first)
    assert [entry["entry"] for entry in screener.read(case_id)["timeline"]].count("corrected") == 1
    listed = [item["bulk_id"] for item in good(screener.caller.get("/v1/cases/bulk", limit=1))["items"]]
    assert listed == [first["bulk_id"]]


def test_the_owner_hears_of_progress_in_the_stream(town: Town) -> None:
    screener, other = town.officer("screener"), town.officer("head")
    cases = filed(town, 3)
    heard: dict[str, list[JSON]] = {"owner": [], "other": []}
    opened = threading.Barrier(3)

    def listen(name: str, officer: Officer) -> None:
        headers = {"Authorization": f"Bearer {officer.caller.token}"}
        url = f"{town.system.gateway_url}/v1/stream"
        with httpx.stream("GET", url, headers=headers, trust_env=False, timeout=60) as answer:
            opened.wait(30)
            for line in answer.iter_lines():
                if not line.startswith("data: "):
                    continue
                event = json.loads(line.removeprefix("data: "))
                heard[name].append(event)
                last = event["event"] == "bulk.progressed" and event["state"] == "done"
                # The head sees the same cases change; hearing of the last one, they have heard all.
                if last or (name == "other" and event.get("case_id") == cases[-1] and event["stage"] == "screening"):
                    return

    listeners = [
        threading.Thread(target=listen, args=arguments, daemon=True)
        for arguments in (("owner", screener), ("other", other))
    ]
    for listener in listeners:
        listener.start()
    opened.wait(30)
    bulk = started(screener, {"type": "start_screening"}, cases)
    for listener in listeners:
        listener.join(60)
        assert not listener.is_alive()
    told = [event for event in heard["owner"] if event["event"] == "bulk.progressed"]
    assert told[-1] == {
        "event": "bulk.progressed",
        "bulk_id": bulk["bulk_id"],
        "state": "done",
        "total": 3,
        "done": 3,
        "succeeded": 3,
        "refused": 0,
    }
    assert not [event for event in heard["other"] if event["event"] == "bulk.progressed"]


def test_the_rest_is_cancelled(town: Town) -> None:
    screener = town.officer("screener")
    cases = filed(town, 2)
    bulk = started(screener, {"type": "start_screening"}, cases)
    cancelled = good(screener.caller.post(f"/v1/cases/bulk/{bulk['bulk_id']}/cancellation", {}))
    over = ended(screener, bulk)
    # Two cases may both be done before it is cancelled: what is over stays as it is.
    assert cancelled["state"] in ("cancelled", "done")
    assert over["succeeded"] + over["cancelled"] == 2
    stages = [screener.read(case_id)["stage"] for case_id in cases]
    assert stages.count("screening") == over["succeeded"]
    assert stages.count("registered") == over["cancelled"]


@pytest.mark.parametrize("language", ["fa", "en"])
def test_what_is_wrong_is_said_by_the_bodys_own_field(town: Town, language: str) -> None:
    caller = town.caller(language, token=town.officer("screener").caller.token)
    case = {"case_id": str(uuid.uuid4())}
    for body, field in (
        ({"step": {"type": "add_note", "text": ""}, "cases": [case]}, "step.text"),
        ({"step": {"type": "refuse", "reason": "unheard_of", "explanation": "x"}, "cases": [case]}, "step.reason"),
        ({"step": {"type": "approve"}, "cases": [case]}, "step"),
        ({"cases": [case]}, "step"),
        ({"step": {"type": "start_screening"}}, "cases"),
        ({"step": {"type": "start_screening"}, "filters": {"number": ["x"]}}, "filters.number.0"),
    ):
        answer = good(caller.post("/v1/cases/bulk", body), 422)
        assert field in [error["field"] for error in answer["errors"]], answer["errors"]


def test_an_export_of_the_selected_cases(town: Town) -> None:
    head = town.officer("head")
    cases = filed(town, 3)
    body = {"case_ids": [cases[0], cases[2], str(uuid.uuid4())], "format": "csv", "language": "en"}
    accepted = good(head.caller.post("/v1/exports", body), 202)
    place = f"/v1/exports/{accepted['export_id']}"
    eventually(lambda: good(head.caller.get(place))["state"] == "done", timeout=60)
    rows = csv.DictReader(io.StringIO(head.caller.get(f"{place}/file").content.decode("utf-8-sig"), newline=""))
    assert {row["Number"] for row in rows} == {head.read(case_id)["number"] for case_id in (cases[0], cases[2])}
