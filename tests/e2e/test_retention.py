"""What the city keeps only for a time goes when the time is over: who filed, the evidence, the texts; figures and the chain
of the timeline stay. Time passes by setting back when a case ended."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from backbone.persian import jalali
from contracts.base import now
from deploy.demo import evidence
from deploy.demo.phones import Phone
from services.media.object_store import Bucket
from tests.e2e.day_parts import last, refused, weeks_pass
from tests.e2e.hostile_parts import reader
from tests.e2e.people import JSON, Caller, Case, Officer, Town, good
from tests.e2e.test_configuration import Administrator, wrong
from tests.e2e.test_day_inspector import accepted
from tests.support.processes import eventually, run_module

pytestmark = pytest.mark.timeout(900)

RULES: list[JSON] = [
    {"kind": "complaint", "outcome": None, "identity_months": 60, "evidence_months": 60, "text_months": None},
    {"kind": "complaint", "outcome": "not_upheld", "identity_months": 1, "evidence_months": 2, "text_months": 3},
]


@pytest.fixture
def rules(town: Town) -> Iterator[Administrator]:
    """For these tests alone; put back at the end."""
    administrator = Administrator(town)
    before = administrator.read()["retention"]
    good(administrator.put("retention", {"retention": RULES}))
    yield administrator
    good(administrator.put("retention", {"retention": before}))


def months_pass(town: Town, case_id: str, months: int) -> None:
    """As if the case had ended so much earlier."""
    connection = reader(town, "tracking")

    def ended() -> bool:
        row = connection.execute("SELECT ended_at FROM cases WHERE case_id = %s", [case_id]).fetchone()
        return row is not None and row[0] is not None

    eventually(ended, timeout=90)
    connection.execute(
        "UPDATE cases SET ended_at = %s WHERE case_id = %s", [now() - timedelta(days=31 * months), case_id]
    )


def erased(head: Officer, case_id: str, *parts: str) -> JSON:
    """The case, once these parts of it are said to be erased: in any order, where their times came at once."""

    def case_after_erasure() -> JSON:
        case = head.read(case_id)
        erased_parts = [entry["details"]["what"] for entry in case["timeline"] if entry["entry"] == "erased"]
        assert sorted(erased_parts) == sorted(parts), erased_parts
        return case

    return eventually(case_after_erasure, timeout=120)


def everything(town: Town, service: str) -> str:
    """All that a service's database says, as one text."""
    connection: psycopg.Connection[tuple[Any, ...]] = reader(town, service)
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    rows = [connection.execute(f'SELECT t::text FROM "{name}" t').fetchall() for (name,) in tables]
    return "\n".join(str(row[0]) for table in rows for row in table)


def nowhere(town: Town, service: str, word: str) -> None:
    """Waits until a service's database has this word nowhere."""
    eventually(lambda: word not in everything(town, service), timeout=120)


def counted(town: Town, case_id: str, stage: str) -> tuple[Any, ...] | None:
    """What figures are made of for one case, once insight has heard of this stage. The figures of the whole city also move
    with what other tests have set going."""
    columns = (
        "kind, unit, ground, stage, outcome, channel, anonymous, urgent, score, handler, day, expected_on, decided_at"
    )
    cursor = reader(town, "insight").execute(
        f"SELECT {columns} FROM facts WHERE case_id = %s AND stage = %s", [case_id, stage]
    )
    return cursor.fetchone()


def objects(town: Town) -> Bucket:
    values = town.system.values
    return Bucket(values["S3_ENDPOINT"], values["S3_ACCESS_KEY"], values["S3_SECRET_KEY"], values["S3_BUCKET"])


def ended_case(town: Town, word: str, outcome: str = "not_upheld") -> tuple[Case, Phone, Caller, str]:
    """A complaint that went all the way to its end, with this word in every text; its citizen and its photo."""
    phone = town.phone()
    citizen, _ = town.sign_in(phone)
    photo = citizen.upload(evidence.photo(), f"{word}.jpg")
    case = town.file(
        citizen,
        kind="complaint",
        unit="dep.urb.permits",
        ground="delay",
        text=f"پرونده {word} من سه ماه مانده است.",
        people=[f"کارمند {word}"],
        reference=f"نامه {word}",
        place={"address": f"خیابان {word}"},
        identity={"name": f"شاکی {word}"},
        uploads=[photo],
    )
    phone.next()
    case_id = case.view()["case_id"]
    inspector, liaison = town.assigned(case), town.officer("liaison")
    accepted(inspector, case_id, photo)
    inspector.do(case_id, "citizen-questions", text=f"چه روزی {word}؟")
    case.view_at("awaiting_citizen")
    good(citizen.post(f"/v1/me/cases/{case_id}/answers", {"text": f"دوم شهریور {word}."}))
    question_id = inspector.do(case_id, "unit-questions", text=f"چرا {word}؟")["questions"][-1]["question_id"]
    good(liaison.caller.post(f"/v1/unit-questions/{question_id}/answer", {"text": f"در بایگانی {word}."}))
    inspector.do(case_id, "notes", text=f"یادداشت {word}")
    inspector.do(case_id, "checklist", text=f"دیدن {word}")
    soon = (jalali.today(now()) + timedelta(days=9)).isoformat()
    inspector.do(case_id, "reminders", on=soon, text=f"یادآوری {word}")
    recommendations = [{"text": f"پیشنهاد {word}", "due_on": soon}]
    causes = [] if outcome == "not_upheld" else ["process"]
    inspector.do(
        case_id,
        "decision",
        outcome=outcome,
        reasons=f"دلیل {word}",
        root_causes=causes,
        recommendations=recommendations,
    )
    case.view_at("decided")
    good(case.holder.post("/v1/tracking/rating", {"score": 2, "on_time": False}))
    weeks_pass(town, case_id, 6)
    case.view_at("closed")
    return case, phone, citizen, photo


def test_a_case_loses_identity_then_evidence_then_texts_and_keeps_its_figures(town: Town, rules: Administrator) -> None:
    word = f"زعفران{uuid.uuid4().hex[:8]}"
    case, phone, citizen, photo = ended_case(town, word)
    case_id = case.view()["case_id"]
    head = town.officer("head")
    before = head.read(case_id)
    figures = eventually(lambda: counted(town, case_id, stage="closed"))
    who = f"/v1/cases/{case_id}/identity"
    assert good(town.opens(case_id, "برای پاسخ کتبی"))["identity"]["mobile"] == phone.mobile

    # A month after the end nobody knows any more who it was; the code still opens the case.
    months_pass(town, case_id, 1)
    read = erased(head, case_id, "identity")
    assert last(read, "erased")["rule"] == {"kind": "complaint", "outcome": "not_upheld", "months": 1}

    def identity_is_erased() -> bool:
        refused(head.caller.post(who, {"reason": "برای پاسخ کتبی"}), 404, "unknown_case")
        assert case_id not in [item["case_id"] for item in good(citizen.get("/v1/me/cases"))["items"]]
        assert case.code not in str(good(citizen.get("/v1/me/messages")))
        row = reader(town, "notify").execute(
            "SELECT sealed_contact, mobile_hash, citizen_id FROM contacts WHERE case_id = %s", [case_id]
        )
        assert row.fetchone() == (None, None, None)
        return True

    eventually(identity_is_erased)
    assert citizen.get(f"/v1/me/cases/{case_id}").status_code == 404
    assert case.view()["decision"]["reasons"] == f"دلیل {word}"
    assert case.holder.get(f"/v1/tracking/attachments/{photo}").status_code == 200
    for service, table in (("intake", "identities"), ("intake", "erasures")):
        count = reader(town, service).execute(f"SELECT count(*) FROM {table} WHERE submission_id = %s", [case_id])
        assert count.fetchone() == ((1,) if table == "erasures" else (0,))

    # Two months: the photo is gone, from the page and from the store.
    assert list(objects(town).keys(f"evidence/{photo}/"))
    months_pass(town, case_id, 2)
    erased(head, case_id, "identity", "evidence")
    eventually(lambda: not list(objects(town).keys(f"evidence/{photo}/")), timeout=30)
    for caller, path in ((case.holder, "/v1/tracking"), (head.caller, f"/v1/cases/{case_id}")):
        assert caller.get(f"{path}/attachments/{photo}").status_code == 410
    assert [attachment["state"] for attachment in case.view()["attachments"]] == ["removed"]
    assert word in everything(town, "tracking")

    # Three months: no text of anybody's is left, in no database; what is counted is as it was.
    months_pass(town, case_id, 3)
    after = erased(head, case_id, "identity", "evidence", "texts")
    assert good(head.caller.get("/v1/cases", text=word))["items"] == []
    for service in ("tracking", "intake", "media", "notify", "insight", "accounts"):
        nowhere(town, service, word)
    kept = ("number", "kind", "unit", "ground", "stage", "channel", "score", "filed_at", "handler", "root_causes")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert after["decision"]["outcome"] == "not_upheld"
    assert [entry["entry"] for entry in after["timeline"]][: len(before["timeline"])] == [
        entry["entry"] for entry in before["timeline"]
    ]
    assert counted(town, case_id, stage="closed") == figures
    view = case.view()
    assert (view["stage"], view["decision"]["outcome"]) == ("closed", "not_upheld")
    assert word not in json.dumps(view, ensure_ascii=False)
    assert chains_hold(town)

    # Nothing more goes, and nothing goes twice.
    months_pass(town, case_id, 50)
    version = head.read(case_id)["version"]
    other, _, _, _ = ended_case(town, f"{word}2")
    months_pass(town, other.view()["case_id"], 1)
    erased(head, other.view()["case_id"], "identity")
    assert head.read(case_id)["version"] == version


def test_outcomes_have_their_own_periods_and_a_shorter_rule_applies_to_ended_cases(
    town: Town, rules: Administrator
) -> None:
    case, _, _, _ = ended_case(town, f"گلاب{uuid.uuid4().hex[:8]}", outcome="upheld")
    case_id = case.view()["case_id"]
    head = town.officer("head")
    months_pass(town, case_id, 4)
    other, _, _, _ = ended_case(town, f"گلاب{uuid.uuid4().hex[:8]}")
    other_id = other.view()["case_id"]
    months_pass(town, other_id, 4)
    erased(head, other_id, "identity", "evidence", "texts")
    erased(head, case_id)  # five years for what was upheld

    assert wrong(rules.put("retention", {"retention": [{**RULES[1], "text_months": 0}]})) == {
        "retention.0.text_months": "greater_than_equal"
    }
    shorter = [{**RULES[0], "identity_months": 3}, RULES[1]]
    good(rules.put("retention", {"retention": shorter}))
    read = erased(head, case_id, "identity")
    assert last(read, "erased")["rule"] == {"kind": "complaint", "outcome": None, "months": 3}
    assert datetime.fromisoformat(last(read, "erased")["ended_at"]) < datetime.now(UTC) - timedelta(days=120)


def chains_hold(town: Town) -> bool:
    """`./peygir verify-history`."""
    done = run_module("deploy.verify_history", environment={**os.environ, **town.system.values})
    assert done.returncode == 0, done.stdout + done.stderr
    return "every chain holds" in done.stdout
