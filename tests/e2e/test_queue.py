"""The staff's queue over the gateway: its filters and orders, counts of many tabs at once, kept searches with columns, relative
days and "me", what a stale command is answered with, and pages of the lists beside it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from backbone.persian import jalali
from contracts.base import now
from deploy.demo import evidence
from tests.e2e.people import JSON, UNIT, Case, Officer, Town, good
from tests.e2e.test_searches import case_ids, filed, word
from tests.support.tracking import apart_from_looks


@pytest.fixture(scope="module")
def head(town: Town) -> Officer:
    return town.officer("head")


def listed(who: Officer, **filters: Any) -> list[JSON]:
    """All lines of a list, two to a page."""
    lines: list[JSON] = []
    after: dict[str, str] = {}
    while True:
        page = good(who.caller.get("/v1/cases", limit=2, **filters, **after))
        lines += page["items"]
        if page["next"] is None:
            return lines
        after = {"after": page["next"]}


def some_cases(town: Town, text: str) -> dict[str, tuple[Case, str]]:
    """Cases by what is particular about each, all with this word."""
    photo = town.caller().upload(evidence.photo())
    cases = {
        "new": filed(town, text),
        "photographed": filed(town, text, uploads=[photo]),
        "handled": filed(town, text),
        "asked": filed(town, text),
    }
    for name in ("handled", "asked"):
        town.assigned(cases[name][0])
    town.officer("inspector").do(cases["asked"][1], "citizen-questions", text="کدام روز؟")
    return cases


def test_each_filter_of_the_queue_finds_its_cases_beside_words_and_orders(town: Town, head: Officer) -> None:
    text = word()
    cases = {name: case_id for name, (_, case_id) in some_cases(town, text).items()}
    inspector, today = town.officer("inspector"), jalali.today(now())
    changed_at = next(line["at"] for line in head.read(cases["asked"])["timeline"] if line["entry"] == "citizen_asked")
    for filters, expected in (
        ({"handler": "nobody"}, {"new", "photographed"}),
        ({"handler": inspector.staff_id}, {"handled", "asked"}),
        ({"handler": ["nobody", inspector.staff_id]}, set(cases)),
        ({"channel": "web"}, set(cases)),
        ({"channel": ["sms", "counter"]}, set()),
        ({"waiting_for": "citizen"}, {"asked"}),
        ({"waiting_for": ["unit"]}, set()),
        ({"has_attachments": True}, {"photographed"}),
        ({"has_attachments": False}, set(cases) - {"photographed"}),
        ({"overdue": True}, set()),
        ({"overdue": False}, set(cases)),
        ({"past_mark": True}, set()),
        ({"past_mark": False, "handler": "nobody"}, {"new", "photographed"}),
        ({"changed_since": changed_at}, {"asked"}),
        ({"changed_from": "P0D", "changed_until": "P1D"}, set(cases)),
        ({"changed_until": "-P2D"}, set()),
        ({"filed_from": "-P1D"}, set(cases)),
        ({"filed_until": "-P1W"}, set()),
        ({"due_until": "P90D"}, set(cases) - {"asked"}),
        ({"due_until": jalali.short(today + timedelta(days=90)), "due_from": "P0D"}, set(cases) - {"asked"}),
    ):
        found = {cases[name] for name in expected}
        assert case_ids(head, text=text, **filters) == found, filters
        for sort in ("-filed_at", "due_on", "number", "-changed_at"):
            assert [line["case_id"] for line in listed(head, text=text, sort=sort, **filters)] == [
                line["case_id"] for line in listed(head, text=text, sort=sort) if line["case_id"] in found
            ], (filters, sort)
    # "me" is whoever asks
    assert case_ids(inspector, text=text, handler="me") == {cases["handled"], cases["asked"]}
    assert case_ids(head, text=text, handler="me") == set()


def test_the_orders_of_the_queue(town: Town, head: Officer) -> None:
    text = word()
    cases = some_cases(town, text)
    by_number = sorted(line["number"] for line in listed(head, text=text))
    assert [line["number"] for line in listed(head, text=text, sort="number")] == by_number
    assert [line["number"] for line in listed(head, text=text, sort="-number")] == by_number[::-1]
    inspector = town.officer("inspector")
    inspector.do(cases["handled"][1], "notes", text="یادداشت")
    last = {case_id: head.read(case_id)["timeline"][-1]["at"] for _, case_id in cases.values()}
    by_change = sorted(last, key=lambda case_id: (last[case_id], case_id))
    assert by_change[-1] == cases["handled"][1]
    assert [line["case_id"] for line in listed(head, text=text, sort="changed_at")] == by_change
    assert [line["case_id"] for line in listed(head, text=text, sort="-changed_at")] == by_change[::-1]
    # A page goes on where it was, whatever has changed before it.
    page = good(head.caller.get("/v1/cases", text=text, sort="-changed_at", limit=1))
    inspector.do(cases["handled"][1], "notes", text="یادداشت دوم")
    following = good(head.caller.get("/v1/cases", text=text, sort="-changed_at", after=page["next"]))
    assert [line["case_id"] for line in following["items"]] == by_change[-2::-1]


def test_cases_are_fetched_by_ids_as_far_as_one_may_see_them(town: Town, head: Officer) -> None:
    text = word()
    _, against = filed(town, text)
    _, elsewhere = filed(town, text, unit="dep.civ.roads", ground="delay")
    asked = [against, elsewhere, str(uuid.uuid4())]
    assert case_ids(head, ids=asked) == {against, elsewhere}
    assert case_ids(town.officer("screener.permits"), ids=asked) == {elsewhere}
    assert case_ids(town.officer("inspector"), ids=asked, text=text) == set()
    numbers = [head.read(case_id)["number"] for case_id in (against, elsewhere)]
    assert case_ids(head, number=numbers) == {against, elsewhere}
    too_many = good(head.caller.get("/v1/cases", ids=[str(uuid.uuid4()) for _ in range(101)]), 422)
    assert [error["field"] for error in too_many["errors"]] == ["ids"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ids", "x"),
        ("handler", "mine"),
        ("channel", "pigeon"),
        ("waiting_for", "godot"),
        ("overdue", "perhaps"),
        ("due_until", "P2M"),
        ("filed_from", "-P99999D"),
        ("filed_until", "T"),
        ("changed_since", "1405/08/02"),
        ("sort", "handler"),
    ],
)
def test_a_value_that_is_none_is_named_by_its_field(head: Officer, field: str, value: str) -> None:
    errors = good(head.caller.get("/v1/cases", **{field: value}), 422)["errors"]
    assert {error["field"].split(".")[0] for error in errors} == {field}
    assert all(error["message"] for error in errors)


# --- counts ---


def test_the_tabs_are_counted_at_once_by_each_readers_scope(town: Town, head: Officer) -> None:
    text = word()
    some_cases(town, text)
    filed(town, text, unit="dep.civ.roads", ground="delay")
    kept = {"name": "نوبت", "filters": {"text": text, "handler": ["me"]}, "shared_with": "all"}
    search = good(head.caller.post("/v1/searches", kept), 201)["search_id"]
    private = good(head.caller.post("/v1/searches", {**kept, "shared_with": "nobody"}), 201)["search_id"]
    body = {
        "counts": [
            {"name": "همه", "filters": {"text": text}},
            {"name": "بی‌بازرس", "filters": {"text": text, "handler": ["nobody"], "due_until": "P90D"}},
            {"name": "مال من", "search": search},
            {"name": "خصوصی", "search": private, "filters": {"urgent": False}},
        ]
    }

    def counts(who: Officer) -> dict[str, tuple[int | None, bool, str | None]]:
        items = good(who.caller.post("/v1/cases/counts", body))["items"]
        assert [item["name"] for item in items] == [asked["name"] for asked in body["counts"]]
        return {item["name"]: (item["count"], item["more"], item["error"]) for item in items}

    not_mine = (None, False, "not_found")
    assert list(counts(head).values()) == [(5, False, None), (3, False, None), (0, False, None), (0, False, None)]
    assert list(counts(town.officer("inspector")).values()) == [
        (2, False, None),
        (0, False, None),
        (2, False, None),
        not_mine,
    ]
    insider = town.officer("screener.permits")  # of the unit complained about: all but one case are hidden
    assert list(counts(insider).values()) == [(1, False, None), (1, False, None), (0, False, None), not_mine]
    hidden = (None, False, "not_allowed")
    assert list(counts(town.officer("analyst")).values()) == [hidden] * 4
    assert good(town.officer("liaison").caller.post("/v1/cases/counts", body), 403)["code"] == "not_allowed"
    wrong = {
        "counts": [{"name": "x", "filters": {}}, {"name": "y", "filters": {"due_from": "P2D", "due_until": "P1D"}}]
    }
    [error] = good(head.caller.post("/v1/cases/counts", wrong), 422)["errors"]
    assert error["field"] == "counts.1.filters.due_until"


# --- kept searches ---


def test_a_kept_search_holds_columns_order_relative_days_and_me(town: Town, head: Officer) -> None:
    text = word()
    cases = {name: case_id for name, (_, case_id) in some_cases(town, text).items()}
    filters = {"text": text, "handler": ["me"], "filed_from": "-P7D", "due_until": "P90D"}
    body = {
        "name": "مهلت نزدیک",
        "filters": filters,
        "sort": "-changed_at",
        "columns": ["number", "days_left", "number", "excerpt"],
        "shared_with": "all",
    }
    kept = good(head.caller.post("/v1/searches", body), 201)
    assert kept["columns"] == ["number", "days_left", "excerpt"]
    assert kept["sort"] == "-changed_at"
    assert {name: kept["filters"][name] for name in filters} == filters  # as they were given, not as they are today
    assert kept["position"] is None
    assert case_ids(head, search=kept["search_id"]) == set()
    assert case_ids(town.officer("inspector"), search=kept["search_id"]) == {cases["handled"]}
    path, version = f"/v1/searches/{kept['search_id']}", {"If-Match": '"1"'}
    changed = good(head.caller.request("PATCH", path, json={"columns": ["stage"]}, headers=version))
    assert (changed["columns"], changed["filters"], changed["version"]) == (["stage"], kept["filters"], 2)
    [error] = good(head.caller.post("/v1/searches", {**body, "columns": ["colour"]}), 422)["errors"]
    assert error["field"] == "columns.0"


def test_a_search_is_shared_with_ones_own_unit(town: Town, head: Officer) -> None:
    body = {"name": "واحد ما", "filters": {}, "shared_with": "unit"}
    path = f"/v1/searches/{good(head.caller.post('/v1/searches', body), 201)['search_id']}"
    assert good(town.officer("inspector").caller.get(path))["own"] is False  # of the inspection, too
    assert good(town.officer("screener.permits").caller.get(path), 404)["code"] == "not_found"


def test_each_pins_searches_in_an_order_of_their_own(town: Town, head: Officer) -> None:
    def keep(shared: str) -> str:
        body = {"name": "سنجاق", "filters": {}, "shared_with": shared}
        return str(good(head.caller.post("/v1/searches", body), 201)["search_id"])

    def pin(who: Officer, *searches: str) -> httpx.Response:
        return who.caller.request("PUT", "/v1/searches/pins", json={"searches": list(searches)})

    def pinned(who: Officer) -> list[tuple[str, int]]:
        items = good(who.caller.get("/v1/searches", pinned=True))["items"]
        return [(item["search_id"], item["position"]) for item in items]

    shared, private, inspector = keep("all"), keep("nobody"), town.officer("inspector")
    assert [item["search_id"] for item in good(pin(head, private, shared))["items"]] == [private, shared]
    assert pinned(head) == [(private, 1), (shared, 2)]
    assert pinned(inspector) == []
    assert good(pin(inspector, shared, private), 404)["code"] == "not_found"
    good(pin(inspector, shared))
    good(pin(head, shared, private))
    assert (pinned(head), pinned(inspector)) == ([(shared, 1), (private, 2)], [(shared, 1)])
    assert good(head.caller.get(f"/v1/searches/{private}"))["position"] == 2
    path, hidden = f"/v1/searches/{shared}", {"shared_with": "nobody"}
    good(head.caller.request("PATCH", path, json=hidden, headers={"If-Match": '"1"'}))
    assert pinned(inspector) == []
    good(head.caller.request("PATCH", path, json={"shared_with": "all"}, headers={"If-Match": '"2"'}))
    assert pinned(inspector) == [(shared, 1)]
    assert head.caller.request("DELETE", path, headers={"If-Match": '"3"'}).status_code == 204
    assert (pinned(head), pinned(inspector)) == ([(private, 2)], [])
    assert good(pin(head))["items"] == []


# --- stale commands ---


def test_a_stale_command_is_answered_with_the_case_as_it_is(town: Town, head: Officer) -> None:
    case, case_id = filed(town, word())
    inspector = town.assigned(case)
    seen = inspector.read(case_id)["version"]
    head.do(case_id, "notes", text="در این میان نوشته شد")
    inspector.do(case_id, "notes", text="و این")
    for command, body in (
        ("notes", {"text": "از روی نسخه کهنه"}),
        ("citizen-questions", {"text": "کدام روز؟"}),
        ("decision", {"outcome": "upheld", "reasons": "دلیل کافی است.", "root_causes": ["process"]}),
    ):
        answer = inspector.caller.post(f"/v1/cases/{case_id}/{command}", body, version=seen)
        problem = good(answer, 412)
        assert problem["code"] == "stale_version"
        now_read = inspector.caller.get(f"/v1/cases/{case_id}")
        assert apart_from_looks(problem["params"]["case"]) == apart_from_looks(good(now_read))
        version = problem["params"]["case"]["version"]
        assert answer.headers["etag"] == f'"{version}"'
        assert now_read.headers["etag"].removeprefix("W/").startswith(f'"{version}-')
        assert problem["params"]["current"] == problem["params"]["case"]["version"]
        assert [line["details"]["text"] for line in problem["params"]["changes"]] == ["در این میان نوشته شد", "و این"]
    # What came may be merged, and the command sent again, without another call.
    again = inspector.caller.post(f"/v1/cases/{case_id}/notes", {"text": "اکنون"}, version=problem["params"]["current"])
    assert good(again)["timeline"][-1]["details"]["text"] == "اکنون"


def test_a_group_whose_cases_have_changed_is_not_answered_with_all_of_them(town: Town, head: Officer) -> None:
    case, case_id = filed(town, word())
    inspector = town.assigned(case)
    body = {
        "decision": {"outcome": "upheld", "reasons": "دلیل کافی است.", "root_causes": ["process"]},
        "cases": [{"case_id": case_id, "expected_version": 1}],
    }
    [item] = good(inspector.caller.post("/v1/decisions", body))["items"]
    assert item["problem"]["code"] == "stale_version"
    assert "case" not in item["problem"]["params"]


# --- pages ---


def all_pages(who: Officer, path: str, limit: int, **query: Any) -> list[JSON]:
    items: list[JSON] = []
    after: dict[str, str] = {}
    while True:
        page = good(who.caller.get(path, limit=limit, **query, **after))
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["next"] is None:
            return items
        after = {"after": page["next"]}


def test_unit_questions_recommendations_and_exports_come_by_pages(town: Town, head: Officer) -> None:
    inspector, liaison = town.officer("inspector"), town.officer("liaison")
    recommended = {
        "text": "فرم را کوتاه کنید.",
        "due_on": (jalali.today(now()) + timedelta(days=30)).isoformat(),
    }
    for _ in range(2):
        case, case_id = filed(town, word())
        town.assigned(case)
        inspector.do(case_id, "unit-questions", text="علت چیست؟")
        answer = {"outcome": "upheld", "reasons": "دلیل کافی است.", "root_causes": ["process"]}
        question = good(liaison.caller.get("/v1/unit-questions", limit=1))["items"][0]["question_id"]
        good(liaison.caller.post(f"/v1/unit-questions/{question}/answer", {"text": "پاسخ واحد"}))
        inspector.do(case_id, "decision", **answer, recommendations=[recommended] * 2)
        good(head.caller.post("/v1/exports", {"filters": {"ids": [case_id]}, "format": "csv"}), 202)
    for who, path, query, name in (
        (liaison, "/v1/unit-questions", {"open_only": False}, "question_id"),
        (liaison, "/v1/recommendations", {}, "recommendation_id"),
        (head, "/v1/recommendations", {"unit": UNIT}, "recommendation_id"),
        (head, "/v1/exports", {}, "export_id"),
    ):
        whole = good(who.caller.get(path, **query))
        assert whole["next"] is None
        assert len(whole["items"]) >= 2
        by_pages = [item[name] for item in all_pages(who, path, 1, **query)]
        assert by_pages == [item[name] for item in whole["items"]], path
        refused = good(who.caller.get(path, after="AAAA", **query), 422)
        assert [error["field"] for error in refused["errors"]] == ["after"]


def test_slots_of_visits_are_found_by_days_and_come_by_pages(town: Town, head: Officer) -> None:
    inspector, day = town.officer("inspector"), town.working_day(40)
    room = good(head.caller.post("/v1/rooms", {"name_fa": "اتاق صف", "name_en": "Room of the queue"}), 201)["room_id"]
    week = {
        "room_id": room,
        "inspector": inspector.staff_id,
        "first_day": jalali.short(day),  # as people write it
        "opens": "08:00",
        "closes": "10:00",
        "minutes": 30,
    }
    made = [slot["slot_id"] for slot in good(head.caller.post("/v1/visit-slots/weeks", week), 201)["items"]]
    about = {"inspector": inspector.staff_id}

    def of_room(**span: str) -> list[JSON]:
        return [slot for slot in all_pages(head, "/v1/visit-slots", 3, **about, **span) if slot["room_id"] == room]

    assert [slot["slot_id"] for slot in of_room(since=jalali.short(day))] == made
    one_day = of_room(since=jalali.short(day), until=day.isoformat())
    assert [slot["slot_id"] for slot in one_day] == made[:4]
    assert {jalali.today(datetime.fromisoformat(slot["starts_at"])) for slot in one_day} == {day}
    assert of_room(until=(day - timedelta(days=1)).isoformat()) == []
    moments = {"since": one_day[1]["starts_at"], "until": one_day[3]["starts_at"]}
    assert [slot["slot_id"] for slot in of_room(**moments)] == made[1:3]
    [error] = good(head.caller.get("/v1/visit-slots", since="1405/13/01"), 422)["errors"]
    assert error["field"] == "since"
