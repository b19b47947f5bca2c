"""A full day of each role, from filing to closing, by what the answers offer alone: nobody here knows a rule, the order of the
stages or the address of a command (command_driver.py)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.command_driver import Player, play
from tests.e2e.people import Case, Town, good
from tests.e2e.test_visits import free_day, new_slot
from tests.support.processes import eventually

pytestmark = pytest.mark.timeout(300)


def people(town: Town, case: Case, **prefers: Any) -> dict[str, Player]:
    """Everybody around this case, each with their own view of it."""
    case_id = case.view()["case_id"]
    first, second = town.officer("inspector"), town.officer("inspector2")
    chosen = {"inspector": [first.staff_id, second.staff_id], "colleague": [second.staff_id]} | prefers
    at = f"/v1/cases/{case_id}"
    return {
        "screener": Player("screener", town.officer("screener").caller, at, {**chosen, "urgent": [True]}),
        "inspector": Player("inspector", first.caller, at, {**chosen, "root_causes": ["process"]}),
        "inspector2": Player("inspector2", second.caller, at, chosen),
        "head": Player("head", town.officer("head").caller, at, {**chosen, "inspector": [second.staff_id]}),
        "citizen": Player("citizen", case.holder, "/v1/tracking"),
    }


def is_closed(case: Case) -> None:
    assert case.view()["stage"] == "closed"
    assert not [command for command in case.view()["commands"] if command["possible"] and command["type"] != "rate"]


def test_a_screeners_day(town: Town) -> None:
    # Set right, accepted, called back from the inquiry since it is another's after all, and refused.
    case, _, _ = town.complaint()
    players = people(town, case)
    screener = [
        *("start_screening", "correct", "assign", "return_to_screening", "refuse"),
    ]
    play(players, [*(("screener", name) for name in screener), ("head", "close")])
    is_closed(case)
    # What is over is said to be over, and what others do is not shown as one's own.
    assert players["screener"].offered() == {}
    whys = {one["type"]: one["why"] for one in players["screener"].read()[0]["commands"]}
    assert set(whys.values()) == {"too_late"}
    assert not {"decide", "approve", "close"} & set(whys)


def test_an_inspectors_day(town: Town) -> None:
    case, _, _ = town.complaint()
    players = people(town, case)
    liaison = town.officer("liaison")
    players["liaison"] = Player("liaison", liaison.caller, "/v1/unit-questions")
    mine = {question["question_id"] for question in good(liaison.caller.get("/v1/unit-questions"))["items"]}
    play(players, [("screener", "start_screening"), ("screener", "assign")])
    before = players["inspector"].offered()
    assert {"ask_citizen", "ask_unit", "add_note", "decide", "propose", "consult_colleague"} <= set(before)
    inquiry = ("add_note", "add_check", "tick_check", "remind", "add_evidence", "consult_colleague")
    play(
        players,
        [
            *(("inspector", name) for name in inquiry),
            ("inspector2", "answer_consultation"),
            ("inspector", "add_co_handler"),
            ("inspector", "remove_co_handler"),
            ("inspector", "ask_citizen"),
            ("citizen", "answer_question"),
            ("inspector", "ask_unit"),
        ],
    )
    # Meanwhile it is said why: a question is open.
    assert "propose" not in players["inspector"].offered()
    proposing = next(one for one in players["inspector"].read()[0]["commands"] if one["type"] == "propose")
    assert (proposing["why"], proposing["code"]) == ("not_yet", "open_question")
    [question] = [
        question
        for question in good(liaison.caller.get("/v1/unit-questions"))["items"]
        if question["question_id"] not in mine
    ]
    [answering] = question["commands"]
    players["liaison"].give(answering)
    play(
        players,
        [
            ("inspector", "propose"),
            ("head", "return_proposal"),
            ("inspector", "propose"),
            ("head", "approve"),
            ("citizen", "object"),
            ("head", "assign"),
            ("inspector2", "decide"),
            ("head", "close"),
        ],
    )
    is_closed(case)
    assert case.view()["decision"]["final"]


def test_a_heads_day(town: Town) -> None:
    # Refused by mistake, taken back, decided by the head alone, objected to, reviewed by another, closed.
    case, _, _ = town.complaint()
    players = people(town, case)
    first = [("head", name) for name in ("start_screening", "refuse", "reopen", "assign", "decide")]
    play(players, first)
    closing = next(one for one in players["head"].read()[0]["commands"] if one["type"] == "close")
    assert (closing["possible"], closing["why"], closing["code"]) == (False, "not_yet", "may_be_objected_to")
    play(players, [("citizen", "object")])
    own = next(one for one in players["head"].read()[0]["commands"] if one["type"] == "decide")
    assert (own["possible"], own["why"], own["code"]) == (False, "not_yours", "decided_it_before")
    players["head"].prefers = {"inspector": [town.officer("inspector").staff_id]}
    play(players, [("head", "assign"), ("inspector", "propose"), ("head", "return_proposal"), ("inspector", "decide")])
    play(players, [("head", "close")])
    is_closed(case)


def test_a_citizens_day(town: Town) -> None:
    # Signed in: asks to come, takes a time, moves and cancels it, sends evidence, answers, objects, rates.
    phone = town.phone()
    citizen, _ = town.sign_in(phone, "en")
    case = town.file(
        citizen,
        kind="complaint",
        unit="dep.urb.permits",
        ground="delay",
        text="My file has been lying there for months.",
        identity={"name": "Somebody"},
    )
    players = people(town, case)
    case_id = case.view()["case_id"]
    players["citizen"] = Player("citizen", citizen, f"/v1/me/cases/{case_id}")
    inspector, head = town.officer("inspector"), town.officer("head")
    slots = [new_slot(head, inspector, free_day(head, inspector))["slot_id"] for _ in range(2)]
    players["inspector"].prefers = {"slots": slots}
    players["citizen"].prefers = {"slot_id": slots[:1]}
    play(players, [("screener", "start_screening"), ("screener", "assign"), ("citizen", "ask_visit")])
    offering = players["inspector"].offered()["offer_slots"]
    assert [one["name"] for one in offering["needs"]] == ["slots"]
    play(players, [("citizen", "book_visit")])
    players["citizen"].prefers = {"slot_id": slots[1:]}
    play(players, [("citizen", name) for name in ("move_visit", "cancel_visit", "send_evidence")])
    play(
        players,
        [
            ("inspector", "ask_citizen"),
            ("citizen", "answer_question"),
            ("inspector", "decide"),
            ("citizen", "rate"),
            ("citizen", "object"),
            ("head", "assign"),
            ("inspector2", "decide"),
            ("head", "close"),
            ("citizen", "rate"),
        ],
    )
    is_closed(case)
    told = {one["type"]: one for one in players["citizen"].read()[0]["commands"]}
    assert told["object"]["why_text"] == "The time for this is over."
    assert (told["withdraw"]["label"], told["withdraw"]["why"]) == ("Withdraw", "too_late")


def test_a_unit_liaisons_day(town: Town) -> None:
    # A question is answered, and what is recommended is reported on, until the office agrees.
    case, _, _ = town.complaint()
    players = people(town, case)
    liaison = town.officer("liaison")
    play(players, [("screener", "start_screening"), ("screener", "assign"), ("inspector", "ask_unit")])
    question_id = players["inspector"].read()[0]["questions"][-1]["question_id"]

    def give_on(path: str, name: str, value: str) -> None:
        def line() -> Any:
            items = good(liaison.caller.get(path))["items"]
            return next(item for item in items if item[name] == value)

        [command] = eventually(line)["commands"]
        assert command["possible"]
        Player("liaison", liaison.caller, path).give(command)

    give_on("/v1/unit-questions", "question_id", question_id)
    [over] = next(
        item["commands"]
        for item in good(liaison.caller.get("/v1/unit-questions", open_only=False))["items"]
        if item["question_id"] == question_id
    )
    assert (over["possible"], over["why"], over["code"]) == (False, "too_late", "answered")
    players["inspector"].prefers = {**players["inspector"].prefers, "recommendations": ["one"]}
    play(players, [("inspector", "decide")])
    recommended = players["inspector"].read()[0]["followed"][-1]["recommendation_id"]
    give_on("/v1/recommendations", "recommendation_id", recommended)
    play(players, [("inspector", "settle_recommendation"), ("citizen", "object"), ("head", "assign")])
    play(players, [("inspector2", "decide"), ("head", "close")])
    is_closed(case)
