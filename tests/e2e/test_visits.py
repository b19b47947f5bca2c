"""A visit from the wish to its minutes, through the gateway, with every word that reaches the citizen; and what goes wrong.

The expected words are written out here. Reminders go out 30 and 15 seconds before, as tests/conftest.py has it.
"""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from contracts.base import now
from tests.e2e.people import JSON, UNIT, Case, Officer, Town, good
from tests.e2e.test_story import numeric
from tests.support.processes import eventually

PLACE_FA, PLACE_EN = "ساختمان بازرسی، اتاق ۱", "Inspection building, room 1"


def at_text(moment: str, language: str) -> str:
    local = datetime.fromisoformat(moment).astimezone(ZoneInfo("Asia/Tehran"))
    if language == "en":
        return f"{numeric(local.date(), 'en')} at {local:%H:%M}"
    clock = f"{local:%H:%M}".translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    return f"{numeric(local.date(), 'fa')} ساعت {clock}"


@pytest.fixture(scope="module")
def keeper(town: Town) -> Officer:
    return town.officer("head")


def new_room(keeper: Officer) -> str:
    """Each slot has a room of its own, where rooms do not matter."""
    made = good(keeper.caller.post("/v1/rooms", {"name_fa": PLACE_FA, "name_en": PLACE_EN}), 201)
    return str(made["room_id"])


def free_day(keeper: Officer, inspector: Officer) -> datetime:
    """A moment after all that this inspector has, some days from now."""
    slots = good(keeper.caller.get("/v1/visit-slots", inspector=inspector.staff_id))["items"]
    last = max((datetime.fromisoformat(slot["ends_at"]) for slot in slots), default=now())
    return max(last, now() + timedelta(days=5)).replace(microsecond=0) + timedelta(minutes=5)


def slot_body(room_id: str, inspector: Officer, starts: datetime, **more: Any) -> JSON:
    ends = starts + timedelta(seconds=2)
    return {
        "room_id": room_id,
        "inspector": inspector.staff_id,
        "starts_at": starts.isoformat(),
        "ends_at": ends.isoformat(),
        **more,
    }


def new_slot(keeper: Officer, inspector: Officer, starts: datetime | None = None, **more: Any) -> JSON:
    body = slot_body(new_room(keeper), inspector, starts or free_day(keeper, inspector), **more)
    made: JSON = good(keeper.caller.post("/v1/visit-slots", body), 201)
    return made


def offer(town: Town, case: Case, *slots: JSON) -> None:
    """The head offers these and no others: the inspector has slots of other tests, too."""
    case_id = case.view()["case_id"]
    town.officer("head").do(case_id, "visit-offers", slots=[slot["slot_id"] for slot in slots])


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_visit_is_requested_booked_moved_reminded_of_and_held(town: Town, keeper: Officer, language: str) -> None:
    fa = language == "fa"
    office = "بازرسی شهرداری قزوین" if fa else "Qazvin Municipality Inspection"
    place = PLACE_FA if fa else PLACE_EN
    phone = town.phone()
    citizen, _ = town.sign_in(phone, language)
    about = {"kind": "complaint", "unit": "dep.urb.permits", "ground": "delay", "text": "پرونده من سه ماه مانده است."}
    case = town.file(citizen, **about, identity={"name": "شاکی نمونه"}, visit_wanted=True)
    phone.next()
    inspector = town.assigned(case)
    view = case.view_at("investigating")
    assert view["visits"][0]["state_text"] == ("درخواست شد" if fa else "Asked for")
    assert view["visit_can"] == ["book_visit", "cancel_visit"]

    # The office offers a day; the citizen takes it.
    far = new_slot(keeper, inspector)
    offer(town, case, far)
    assert phone.next() == (
        f"برای مراجعه حضوری شما وقت‌هایی پیشنهاد شده است. لطفاً با این کد یکی را برگزینید:\n{case.dashed}\n{office}"
        if fa
        else f"Times are offered for your visit. Please choose one with this code:\n{case.dashed}\n{office}"
    )
    [shown] = good(case.holder.get("/v1/tracking/visit-slots"))["items"]
    assert (shown["slot_id"], shown["place"], shown["free"]) == (far["slot_id"], place, 1)
    booked = good(case.holder.post("/v1/tracking/visit-booking", {"slot_id": far["slot_id"]}))
    assert booked["visits"][0]["place"] == place
    assert booked["visits"][0]["starts_text"] == shown["starts_text"]
    when = at_text(far["starts_at"], language)
    assert phone.next() == (
        f"وقت مراجعه شما: {when}\n{place}\n{case.dashed}\n{office}"
        if fa
        else f"Your visit: {when}\n{place}\n{case.dashed}\n{office}"
    )
    assert f"{when}، {place}." in case_message(case, "visit_booked") or f"{when}, {place}." in case_message(
        case, "visit_booked"
    )

    # It moves to a time that is near, signed in this time, and is reminded of twice.
    near = new_slot(keeper, inspector, now() + timedelta(seconds=50))
    offer(town, case, far, near)
    phone.next()
    case_id = view["case_id"]
    good(citizen.post(f"/v1/me/cases/{case_id}/visit-move", {"slot_id": near["slot_id"]}))
    when = at_text(near["starts_at"], language)
    for words in (
        ("وقت تازه مراجعه شما: ", "Your visit is moved to "),
        ("یادآوری مراجعه شما: ", "A reminder of your visit: "),
        ("مراجعه شما نزدیک است: ", "Your visit is soon: "),
    ):
        assert phone.next() == f"{words[0] if fa else words[1]}{when}\n{place}\n{case.dashed}\n{office}"

    # It begins, and is held; the minutes are the office's own.
    eventually(lambda: case.view()["visit_can"] == [] or late(case, near), timeout=60)
    held = eventually(lambda: held_by(inspector, case_id), timeout=60)
    assert held["timeline"][-1]["details"]["text"] == "مدرک دوم را آورد."
    seen = case.view()
    assert seen["visits"][0]["state_text"] == ("برگزار شد" if fa else "Held")
    assert seen["timeline"][-1]["entry"] == "visit_held"
    assert "مدرک دوم" not in str(seen)
    reminded = [entry for entry in inspector.read(case_id)["timeline"] if entry["entry"] == "visit_reminded"]
    assert [entry["details"]["before"] for entry in reminded] == ["day", "hours"]
    numbers = [item["template"] for item in good(inspector.caller.get("/v1/messages"))["items"]]
    assert {"visit_booked_for_staff", "visit_moved_for_staff"} <= set(numbers)


def case_message(case: Case, template: str) -> str:
    """The newest message of this template that is read with the code."""

    def message() -> str:
        items = good(case.holder.get("/v1/tracking/messages"))["items"]
        return next((str(item["text"]) for item in items if item["template"] == template), "")

    return eventually(message)


def late(case: Case, slot: JSON) -> bool:
    """Whether the visit has begun: then it is not cancelled any more."""
    return datetime.fromisoformat(slot["starts_at"]) <= now()


def held_by(inspector: Officer, case_id: str) -> JSON | None:
    version = inspector.read(case_id)["version"]
    answer = inspector.caller.post(f"/v1/cases/{case_id}/visit-minutes", {"text": "مدرک دوم را آورد."}, version=version)
    return answer.json() if answer.status_code == 200 else None


def test_an_anonymous_reporter_requests_books_and_cancels_a_visit_by_code(town: Town, keeper: Officer) -> None:
    case = town.report()
    inspector = town.assigned(case)
    view = good(case.holder.post("/v1/tracking/visit-request", {}))
    assert view["visit_can"] == ["book_visit", "cancel_visit"]
    slot = new_slot(keeper, inspector)
    offer(town, case, slot)
    key = uuid.uuid4().hex
    for _ in range(2):
        good(case.holder.post("/v1/tracking/visit-booking", {"slot_id": slot["slot_id"]}, key=key))
    [listed] = [
        item
        for item in good(keeper.caller.get("/v1/visit-slots", inspector=inspector.staff_id))["items"]
        if item["slot_id"] == slot["slot_id"]
    ]
    assert (listed["taken"], [booked_case["case_id"] for booked_case in listed["cases"]]) == (
        1,
        [case.view()["case_id"]],
    )
    in_use = keeper.caller.post(f"/v1/visit-slots/{slot['slot_id']}/closing", {})
    assert (in_use.status_code, in_use.json()["code"]) == (409, "slot_in_use")
    inspector.do(case.view()["case_id"], "visit-cancellation")
    eventually(lambda: case.view()["visits"][0]["state"] == "asked")
    good(case.holder.post("/v1/tracking/visit-cancellation", {}))
    eventually(lambda: case.view()["visits"][0]["state"] == "cancelled")
    assert good(keeper.caller.post(f"/v1/visit-slots/{slot['slot_id']}/closing", {}))["closed"]


def test_an_impossible_request_is_a_problem_in_the_language_of_the_caller(town: Town, keeper: Officer) -> None:
    first, second = town.report(visit_wanted=True), town.report(visit_wanted=True)
    inspector = town.assigned(first)
    town.assigned(second)
    slot = new_slot(keeper, inspector)
    past = new_slot(keeper, inspector, now() + timedelta(seconds=5))
    offer(town, second, slot)
    offer(town, first, slot)

    def refused(answer: Any, status: int, code: str) -> JSON:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.headers["content-type"].startswith("application/problem+json")
        problem: JSON = answer.json()
        return problem

    good(first.holder.post("/v1/tracking/visit-booking", {"slot_id": slot["slot_id"]}))
    taken = refused(second.holder.post("/v1/tracking/visit-booking", {"slot_id": slot["slot_id"]}), 409, "slot_taken")
    assert taken["detail"] == "این وقت پر شده است؛ وقت دیگری برگزینید."
    second.holder.language = "en"
    taken = refused(second.holder.post("/v1/tracking/visit-booking", {"slot_id": slot["slot_id"]}), 409, "slot_taken")
    assert taken["detail"] == "This time is taken; choose another."
    case_id = second.view()["case_id"]
    eventually(lambda: late(second, past))
    version = inspector.read(case_id)["version"]
    offered_late = inspector.caller.post(
        f"/v1/cases/{case_id}/visit-offers", {"slots": [past["slot_id"]]}, version=version
    )
    refused(offered_late, 409, "slot_past")
    refused(second.holder.post("/v1/tracking/visit-booking", {"slot_id": str(uuid.uuid4())}), 404, "unknown_slot")
    refused(second.holder.post("/v1/tracking/visit-request", {}), 409, "wrong_visit_state")
    refused(second.holder.post("/v1/tracking/visit-booking", {"slot_id": "x"}), 422, "invalid_field")
    refused(inspector.caller.post(f"/v1/cases/{case_id}/visit-absence", {}, version=version - 1), 412, "stale_version")
    refused(inspector.caller.post(f"/v1/cases/{case_id}/visit-absence", {}), 428, "version_needed")

    overlapping = slot_body(new_room(keeper), inspector, datetime.fromisoformat(slot["starts_at"]))
    refused(keeper.caller.post("/v1/visit-slots", overlapping), 409, "slot_overlap")
    refused(inspector.caller.post("/v1/visit-slots", overlapping), 403, "not_allowed")
    refused(first.holder.post("/v1/visit-slots", overlapping), 401, "not_authenticated")
    stranger, _ = town.sign_in(town.phone())
    refused(stranger.post(f"/v1/me/cases/{case_id}/visit-cancellation", {}), 404, "unknown_case")
    refused(stranger.get(f"/v1/me/cases/{case_id}/visit-slots"), 404, "unknown_case")
    refused(keeper.caller.post("/v1/rooms", {"name_fa": " ", "name_en": "x" * 41}), 422, "invalid_field")


class Browser:
    """The plain pages without a script: what a form needs is read from the page it stands on."""

    def __init__(self, town: Town) -> None:
        self.http = httpx.Client(base_url=town.system.gateway_url, follow_redirects=True, timeout=30, trust_env=False)
        self.page = ""

    def open(self, path: str) -> str:
        self.page = self.http.get(path).raise_for_status().text
        return self.page

    def send(self, path: str, **fields: str) -> str:
        """Posts the form of the page that is open, which is at `path`."""
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.page))
        answer = self.http.post(path, data={**hidden, **fields})
        assert answer.status_code in (200, 422), answer.text  # 422: the page says what is wrong
        self.page = answer.text
        return self.page


def test_the_plain_pages_request_book_change_and_cancel_a_visit(town: Town, keeper: Officer) -> None:
    case, rival = town.report(), town.report(visit_wanted=True)
    inspector = town.assigned(case)
    browser = Browser(town)
    browser.open("/follow")
    assert "مراجعه حضوری" in browser.send("/follow", code=case.code)
    browser.open("/case/visit/ask")
    assert "درخواست مراجعه شما رسید." in browser.send("/case/visit/ask")
    gone, first, other = (new_slot(keeper, inspector) for _ in range(3))
    offer(town, case, gone, first, other)
    offer(town, rival, gone)
    browser.open("/case/visit/time")
    assert all(slot["slot_id"] in browser.page for slot in (gone, first, other))
    assert "یکی از وقت‌ها را برگزینید." in browser.send("/case/visit/time")
    good(rival.holder.post("/v1/tracking/visit-booking", {"slot_id": gone["slot_id"]}))
    assert "این وقت پر شده است" in browser.send("/case/visit/time", slot=gone["slot_id"])
    assert gone["slot_id"] not in browser.page
    assert PLACE_FA in browser.send("/case/visit/time", slot=first["slot_id"])
    assert case.view()["visits"][0]["slot_id"] == first["slot_id"]
    assert first["slot_id"] not in browser.open("/case/visit/time")
    browser.send("/case/visit/time", slot=other["slot_id"])
    assert case.view()["visits"][0]["state"] == "moved"
    browser.open("/case/visit/cancel")
    assert "مراجعه لغو شد." in browser.send("/case/visit/cancel")
    assert case.view()["visits"][0]["state"] == "cancelled"


def test_the_figures_count_requested_visits_and_their_ends(town: Town, keeper: Officer) -> None:
    figures = ("asked", "held", "avoided", "cancelled", "no_show")

    def counted() -> list[int]:
        answer = good(keeper.caller.get("/v1/figures/visits", by=["month", "ground"], unit=UNIT))
        assert all(re.fullmatch(r"14\d\d-\d\d", cell["key"][0]) for cell in answer["cells"])
        return [answer["totals"][name] for name in figures]

    before = counted()
    for _ in range(2):
        case, _, _ = town.complaint(visit_wanted=True)
        case.view()
        good(case.holder.post("/v1/tracking/withdrawal", {}))
    expected = [before[0] + 2, before[1], before[2] + 2, *before[3:]]
    eventually(lambda: counted() == expected)
    public = good(town.caller().get("/v1/figures/visits"))
    assert public["cells"] == []  # the week is not over
    for language, wrong in (
        ("fa", {"by": "day"}),
        ("en", {"since": "1405-09-01x"}),
        ("en", {"by": ["month", "month"]}),
        ("fa", {"by": "unit"}),
    ):
        refused = town.caller(language).get("/v1/figures/visits", **wrong)
        assert (refused.status_code, refused.headers["content-language"]) == (422, language)
    accused = town.officer("screener.permits").caller
    cells = good(accused.get("/v1/figures/visits", by="unit"))["cells"]
    assert UNIT not in [cell["key"][0] for cell in cells]
