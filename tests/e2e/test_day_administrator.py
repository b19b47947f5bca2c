"""An administrator's day: what the city has decided is set, and holds from then on; what was filed before keeps its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest

from backbone.persian import jalali
from contracts.base import now
from tests.e2e.day_parts import entries, last, refused
from tests.e2e.people import JSON, Case, Town, good
from tests.e2e.test_configuration import Administrator, bring, send, unit, wrong
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)

LISTS = ("weekend", "holidays"), ("deadlines",), ("four_eyes", "auto_close_days"), ("retention",)
DOORS = ("calendar", "deadlines", "decisions", "retention")


@pytest.fixture
def administrator(town: Town) -> Iterator[Administrator]:
    """At the end of the day the calendar and the rules are what they were."""
    administrator = Administrator(town)
    before = administrator.read()
    yield administrator
    for path, names in zip(DOORS, LISTS, strict=True):
        good(administrator.put(path, {name: before[name] for name in names}))


def workday(whole: JSON, count: int) -> date:
    """The `count`-th working day after today by this configuration."""
    day = jalali.today(now())
    while count:
        day += timedelta(days=1)
        count -= day.weekday() not in whole["weekend"] and day.isoformat() not in whole["holidays"]
    return day


def expected(case: Case, day: date) -> None:
    """Waits until the citizen is told this day."""

    def in_place() -> bool:
        assert case.view()["expected_on"] == day.isoformat()
        return True

    eventually(in_place)


def test_a_changed_catalogue_changes_the_form(town: Town, administrator: Administrator) -> None:
    """A new office with a ground of its own; a question that only some are asked; at the end it is closed."""
    office, ground = f"test.{uuid.uuid4().hex[:8]}", f"t{uuid.uuid4().hex[:8]}"
    good(administrator.put(f"units/{office}", unit("اداره آزمون")))
    options = [{"value": value, "name_fa": value, "name_en": value} for value in ("desk", "phone")]
    where = {"code": "where", "type": "choice", "name_fa": "کجا؟", "name_en": "Where?", "options": options}
    counter: JSON = {
        "code": "counter",
        "type": "number",
        "name_fa": "شماره باجه",
        "name_en": "Counter",
        "required": True,
    }
    questions = [where, {**counter, "when": {"question": "where", "values": ["desk"]}}]
    body = {"kinds": ["criticism"], "name_fa": "محور آزمون", "name_en": "Ground of the test", "questions": questions}
    good(administrator.put(f"grounds/{ground}", body))
    backward = {**body, "questions": list(reversed(questions))}
    assert set(wrong(administrator.put(f"grounds/{ground}", backward)).values()) == {"not_an_earlier_question"}

    def filed(**answers: Any) -> Case:
        about = {"kind": "criticism", "unit": office, "ground": ground, "text": "در این اداره صف درازی است."}
        return town.file(town.caller(), **about, answers=answers, anonymous=True)

    at_counter, by_phone = filed(where="desk", counter=3), filed(where="phone")
    screener = town.officer("screener")
    assert screener.read(at_counter.view()["case_id"])["answers"] == {"where": "desk", "counter": 3}
    assert screener.read(by_phone.view()["case_id"])["answers"] == {"where": "phone"}

    # Closed: nothing more is filed against it, and nobody corrects a case to it; what was filed goes its way.
    good(administrator.put(f"units/{office}", unit("اداره آزمون", active=False)))
    late: JSON = {
        "kind": "criticism",
        "unit": office,
        "ground": ground,
        "text": "باز هم صف درازی است.",
        "consent": True,
    }
    refused(town.caller().post("/v1/submissions", {**late, "anonymous": True}), 422, "closed_unit")
    other = town.report().view()["case_id"]
    screener.do(other, "screening")
    version = screener.read(other)["version"]

    def no_way_there() -> bool:
        answer = screener.caller.post(f"/v1/cases/{other}/corrections", {"unit": office}, version=version)
        refused(answer, 422, "closed_unit")
        return True

    eventually(no_way_there)
    case_id = at_counter.view()["case_id"]
    screener.do(case_id, "screening")
    screener.do(case_id, "assignment", inspector=town.officer("inspector").staff_id)
    assert at_counter.view_at("investigating")["unit_name"] == "اداره آزمون"


def test_a_new_holiday_moves_deadlines_and_new_rules_apply_to_new_cases(
    town: Town, administrator: Administrator
) -> None:
    before = administrator.read()
    case, _, _ = town.complaint(ground="conduct", text="کارمند باجه سه با من بدرفتاری کرد.")
    screener = town.officer("screener")
    assert case.view()["expected_on"] == workday(before, 15).isoformat()

    # The government closes the day after the next: the case is owed a working day later, and its timeline tells why.
    closed = sorted({*before["holidays"], workday(before, 2).isoformat()})
    whole = good(administrator.put("calendar", {"holidays": closed}))
    expected(case, workday(whole, 15))
    read = screener.read(case.view()["case_id"])
    assert entries(read)[-1] == "rescheduled"
    assert last(read, "rescheduled")["due_on"] == workday(whole, 15).isoformat()
    assert [entry["entry"] for entry in case.view()["timeline"]] == ["opened"]  # to the citizen it is a date
    good(administrator.put("calendar", {"holidays": before["holidays"]}))
    expected(case, workday(before, 15))

    # Complaints of conduct are to be decided in seven days from now on, urgent ones in three, all others as before.
    rules = [
        *before["deadlines"],
        {"kind": "complaint", "ground": "conduct", "urgent": None, "step": "decision", "days": 7},
        {"kind": "complaint", "ground": "conduct", "urgent": True, "step": "decision", "days": 3},
    ]
    good(administrator.put("deadlines", {"deadlines": rules}))

    def file_with_deadline(ground: str) -> str:
        new = town.complaint(ground=ground, text="کارمند باجه سه با من بدرفتاری کرد.")[0]
        seen = new.view()
        days = 7 if ground == "conduct" else 15
        assert seen["expected_on"] == workday(before, days).isoformat()
        return str(seen["case_id"])

    ruled = eventually(lambda: file_with_deadline("conduct"), timeout=60)
    file_with_deadline("delay")
    screener.do(ruled, "screening")
    assert screener.do(ruled, "corrections", urgent=True)["expected_on"] == workday(before, 3).isoformat()
    assert case.view()["expected_on"] == workday(before, 15).isoformat()  # promised before
    assert wrong(administrator.put("deadlines", {"deadlines": [{"step": "decision", "days": 0}]})) == {
        "deadlines.0.days": "greater_than_equal"
    }


def test_the_office_answers_with_configured_lists_texts_and_templates(town: Town, administrator: Administrator) -> None:
    caller = administrator.caller
    template = f"t{uuid.uuid4().hex[:8]}"
    words = {"kind": "complaint", "ground": "delay", "text_fa": "پوزش می‌خواهیم.", "text_en": "We apologise."}
    offered = good(administrator.put(f"answer-templates/{template}", words))["answer_templates"]
    assert [template_text["text_fa"] for template_text in offered if template_text["code"] == template] == [
        "پوزش می‌خواهیم."
    ]
    assert wrong(administrator.put(f"answer-templates/{template}", {**words, "ground": "nowhere"})) == {
        "ground": "unknown_ground"
    }

    # A reason with an address of its own: told to the citizen where the screener gives none; closed, it is offered no more.
    [reason] = [
        candidate for candidate in administrator.read()["refusal_reasons"] if candidate["code"] == "pending_elsewhere"
    ]
    as_it_was = {name: value for name, value in reason.items() if name != "code"}
    path = "refusal-reasons/pending_elsewhere"
    try:
        good(administrator.put(path, {**as_it_was, "address_fa": "دیوان عدالت اداری", "address_en": "The court"}))
        case, _, _ = town.complaint()
        case_id = case.view()["case_id"]
        screener = town.officer("screener")
        screener.do(case_id, "screening")
        refusal = {"reason": "pending_elsewhere", "explanation": "این پرونده در دیوان است."}
        screener.do(case_id, "refusal", **refusal)
        assert case.view_at("refused")["refusal_address"] == "دیوان عدالت اداری"
        good(administrator.put(path, {**as_it_was, "active": False}))
        other, _, _ = town.complaint()
        other_id = other.view()["case_id"]
        screener.do(other_id, "screening")
        version = screener.read(other_id)["version"]
        answer = screener.caller.post(f"/v1/cases/{other_id}/refusal", refusal, version=version)
        assert wrong(answer) == {"reason": "not_offered"}
    finally:
        good(administrator.put(path, as_it_was))

    # The words of an SMS: what would not do is told by its field; what does is what the next phone reads.
    text = "/v1/notification-texts/sms/merged"
    body = {"text_fa": "پرونده شما پیوست شد.\n{code}", "text_en": "Your case was joined.\n{code}"}
    [sms] = [
        item
        for item in good(caller.get("/v1/notification-texts"))["items"]
        if (item["channel"], item["name"]) == ("sms", "merged")
    ]
    linked = send(caller, "PUT", text, {**body, "text_en": "Joined.\n{code}\nwww.qazvin.ir"}, version=sms["version"])
    assert wrong(linked) == {"text_en": "link_in_sms"}
    changed = good(send(caller, "PUT", text, body, version=sms["version"]))
    try:
        first, (second, phone, _) = town.complaint()[0], town.complaint()
        ids = [filed.view()["case_id"] for filed in (first, second)]
        screener.do(ids[1], "screening")
        screener.do(ids[1], "merge", into=ids[0])
        assert phone.next() == f"پرونده شما پیوست شد.\n{second.dashed}"
    finally:
        good(send(caller, "DELETE", text, None, version=changed["version"]))


def test_an_account_is_created_and_closed_and_tables_are_checked_before_import(
    town: Town, administrator: Administrator, tmp_path: Path
) -> None:
    username = f"desk-{uuid.uuid4().hex[:8]}"
    body = {"username": username, "display_name": "غربالگر آزمون", "roles": ["screener"], "unit": "dep.civ.roads"}
    made = good(administrator.caller.post("/v1/staff", body), 201)
    totp = pyotp.TOTP(made["totp_secret"]).now()
    entered = {"username": username, "password": made["password"], "totp": totp}
    tokens = good(town.caller().post("/v1/auth/staff/tokens", entered))
    newcomer = town.caller(token=tokens["access_token"])
    case_id = town.report().view()["case_id"]
    assert newcomer.get(f"/v1/cases/{case_id}").status_code == 404  # against the newcomer's own unit
    other_id = town.report(unit="org.waste").view()["case_id"]
    assert good(newcomer.get(f"/v1/cases/{other_id}"))["case_id"] == other_id

    # Moved into the unit of the other case: the session of before is over at once, the next one knows the new unit.
    path = f"/v1/staff/{made['member']['staff_id']}"
    moved = {"display_name": "غربالگر آزمون", "roles": ["screener"], "unit": "org.waste", "active": True}
    good(send(administrator.caller, "PUT", path, moved, version=1))
    eventually(lambda: newcomer.get("/v1/me").status_code == 401)
    refreshed = good(town.caller().post("/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]}))
    newcomer = town.caller(token=refreshed["access_token"])
    assert good(newcomer.get("/v1/me"))["unit"] == "org.waste"
    assert newcomer.get(f"/v1/cases/{other_id}").status_code == 404
    assert good(newcomer.get(f"/v1/cases/{case_id}"))["case_id"] == case_id

    # The account is closed: no session of it is good for anything.
    good(send(administrator.caller, "PUT", path, {**moved, "active": False}, version=2))
    eventually(lambda: newcomer.get("/v1/me").status_code == 401)
    assert town.caller().post("/v1/auth/refresh", {"refresh_token": refreshed["refresh_token"]}).status_code == 401

    # A table with mistakes names each by row and column and changes nothing; nor does a right one that is only tried.
    before = administrator.read()
    broken, right = tmp_path / "broken.csv", tmp_path / "right.csv"
    head = "code,kind(s),name_fa,name_en,hint_fa\n"
    code = f"t{uuid.uuid4().hex[:8]}"
    broken.write_text(
        head + f"{code},complaint,نام,Name,\n{code}x,gossip,نام,Name,\n,complaint,,Name,\n", encoding="utf-8"
    )
    done = bring(town, "grounds", str(broken))
    assert done.returncode == 1
    for message in ("row 3, column kind(s)", "row 4, column code", "سطر ۳، ستون kind(s)", "سطر ۴، ستون code"):
        assert message in done.stderr, done.stderr
    right.write_text(head + f"{code},complaint,محور جدول,Ground of the table,\n", encoding="utf-8")
    done = bring(town, "grounds", str(right), "--dry-run")
    assert (done.returncode, "1 new" in done.stdout) == (0, True), done.stderr
    assert administrator.read() == before
    assert bring(town, "grounds", str(right)).returncode == 0
    assert code in [ground["code"] for ground in administrator.read()["grounds"]]
    assert administrator.history(what="grounds", item=code)[0]["by"] == "import grounds"
    good(administrator.put(f"grounds/{code}", {"kinds": [], "name_fa": "محور جدول", "name_en": "Ground of the table"}))
