"""Staff look for cases over the gateway: by each filter, by kept searches, and into files. What nobody may see is in none."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from backbone.persian import jalali
from contracts.base import now
from deploy.demo import evidence
from tests.e2e.people import JSON, UNIT, Case, Officer, Town, good
from tests.support.processes import eventually

TODAY = jalali.today(now())


def word() -> str:
    """A word that no other case has: what a test filed is found by it."""
    return "واژه" + "".join("بپتثجچحخدذرزژسشص"[int(one, 16)] for one in uuid.uuid4().hex[:12])


@pytest.fixture(scope="module")
def head(town: Town) -> Officer:
    return town.officer("head")


def filed(town: Town, text: str, **body: Any) -> tuple[Case, str]:
    """A case, registered, and its id."""
    about = {"kind": "criticism", "unit": UNIT, "ground": "delay", "anonymous": True}
    case = town.file(town.caller(), **{**about, "text": f"پرونده من مانده است، {text}", **body})
    return case, str(case.view()["case_id"])


def found(who: Officer, **filters: Any) -> set[str]:
    """The ids that the list gives, which are as many as the count says."""
    items = good(who.caller.get("/v1/cases", limit=100, **filters))["items"]
    filters.pop("sort", None)
    assert good(who.caller.get("/v1/cases/count", **filters)) == {"count": len(items)}
    return {one["case_id"] for one in items}


def persian(day: date) -> str:
    return jalali.short(day)


def test_each_filter_finds_its_cases_and_no_others(town: Town, head: Officer) -> None:
    text = word()
    photo = town.caller().upload(evidence.photo())
    _, plain = filed(town, text)
    _, other = filed(town, text, kind="information", ground="waste", unit="dep.civ.roads", uploads=[photo])
    decided_case, decided = filed(town, text)
    inspector = town.assigned(decided_case)
    inspector.do(decided, "decision", outcome="upheld", reasons="دلیل کافی است.", root_causes=["process"])
    everything = {plain, other, decided}
    number = head.read(plain)["number"]
    due = date.fromisoformat(head.read(plain)["expected_on"])
    tomorrow, yesterday = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
    assert found(head, text=text) == everything
    for filters, expected in (
        ({"number": number}, {plain}),
        ({"number": number.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))}, {plain}),
        ({"number": [number, head.read(other)["number"]]}, {plain, other}),
        ({"unit": "dep.urb"}, {plain, decided}),
        ({"unit": "dep.urb", "below": "false"}, set()),
        ({"unit": ["dep.urb", "dep.civ"]}, everything),
        ({"ground": "waste"}, {other}),
        ({"kind": ["criticism", "information"]}, everything),
        ({"kind": "information", "ground": "delay"}, set()),
        ({"stage": "decided"}, {decided}),
        ({"stage": ["decided", "registered"]}, everything),
        ({"outcome": "upheld"}, {decided}),
        ({"handler": inspector.staff_id}, {decided}),
        ({"filed_from": persian(TODAY), "filed_until": persian(TODAY)}, everything),
        ({"filed_from": TODAY.isoformat()}, everything),
        ({"filed_from": jalali.plain(tomorrow)}, set()),
        ({"filed_until": persian(yesterday)}, set()),
        ({"filed_until": now().isoformat()}, everything),
        ({"decided_from": persian(TODAY), "decided_until": TODAY.isoformat()}, {decided}),
        ({"decided_until": persian(yesterday)}, set()),
        ({"due_from": persian(due), "due_until": persian(due)}, {plain}),
        ({"due_until": persian(yesterday)}, set()),
        ({"attached": "audio"}, set()),
    ):
        assert found(head, text=text, **filters) == expected, filters
    eventually(lambda: found(head, text=text, attached=["image", "video"]) == {other}, timeout=60)
    in_order = good(head.caller.get("/v1/cases", text=text, sort="filed_at"))["items"]
    assert [one["case_id"] for one in in_order] == [plain, other, decided]
    by_due = good(head.caller.get("/v1/cases", text=text, sort="due_on", limit=1))
    assert by_due["items"][0]["case_id"] == plain
    rest = good(head.caller.get("/v1/cases", text=text, sort="due_on", after=by_due["next"]))["items"]
    assert [one["case_id"] for one in rest] == [other, decided]


@pytest.mark.parametrize(("typed", "sought"), [("كتابي‌ست", "کتابی ست"), ("مُهمّ", "مهم"), ("پلاک ۴۲۷", "427")])
def test_words_are_found_however_they_are_written(town: Town, head: Officer, typed: str, sought: str) -> None:
    text = word()
    _, case_id = filed(town, f"{text} {typed}")
    filed(town, text)
    assert found(head, text=f"{text} {sought}") == {case_id}


@pytest.mark.parametrize(
    ("field", "value", "fa", "en"),
    [
        ("filed_from", "1405/13/01", "باید روزی مانند", "It must be a day such as"),
        ("due_until", "فردا", "باید روزی مانند", "It must be a day such as"),
        ("decided_from", "2026-02-30", "باید روزی مانند", "It must be a day such as"),
        ("filed_until", "2026/13/25", "باید روزی مانند", "It must be a day such as"),
        ("number", "پنج", "قالب آن درست نیست", "Its form is not right"),
        ("kind", "praise", "یکی از مقدارهای شناخته نیست", "not one of the known values"),
        ("stage", "lost", "یکی از مقدارهای شناخته نیست", "not one of the known values"),
        ("attached", "exe", "یکی از مقدارهای شناخته نیست", "not one of the known values"),
        ("sort", "number", "یکی از مقدارهای شناخته نیست", "not one of the known values"),
        ("handler", "x", "شناسه درستی نیست", "not an identifier"),
        ("search", "x", "شناسه درستی نیست", "not an identifier"),
        ("after", "AAAA", "درست نیست", "not right"),
        ("wish", "x", "چنین خانه‌ای شناخته نیست", "no such field"),
    ],
)
def test_a_bad_filter_is_named_in_both_languages(
    town: Town, head: Officer, field: str, value: str, fa: str, en: str
) -> None:
    for language, words in (("fa", fa), ("en", en)):
        caller = town.caller(language, token=head.caller.token)
        problem = good(caller.get("/v1/cases", **{field: value}), 422)
        [error] = problem["errors"]
        assert error["field"].split(".")[0] == field
        assert words in error["message"], error


def test_a_span_that_ends_before_it_begins_is_refused(town: Town, head: Officer) -> None:
    spans = {"filed_from": "1405/08/03", "filed_until": "1405/08/02"}
    for language, words in (("fa", "پیش از آغاز آن است."), ("en", "It is before its start.")):
        caller = town.caller(language, token=head.caller.token)
        for answer in (
            caller.get("/v1/cases", **spans),
            caller.post("/v1/searches", {"name": "x", "filters": spans}),
            caller.post("/v1/exports", {"filters": spans, "format": "csv"}),
        ):
            [error] = good(answer, 422)["errors"]
            assert error["field"].endswith("filed_until")
            assert error["message"] == words


# --- kept searches ---


def patch(who: Officer, search_id: str, version: int | None, body: JSON) -> httpx.Response:
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    return who.caller.request("PATCH", f"/v1/searches/{search_id}", json=body, headers=headers)


def drop(who: Officer, search_id: str, version: int | None) -> httpx.Response:
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    return who.caller.request("DELETE", f"/v1/searches/{search_id}", headers=headers)


def test_a_search_is_kept_shared_run_and_dropped(town: Town, head: Officer) -> None:
    text, key = word(), uuid.uuid4().hex
    _, case_id = filed(town, text)
    body = {"name": "بررسی من", "filters": {"text": text, "filed_from": persian(TODAY)}, "sort": "due_on"}
    made = head.caller.post("/v1/searches", body, key=key)
    kept = good(made, 201)
    search_id = kept["search_id"]
    assert made.headers["etag"] == '"1"'
    assert made.headers["location"] == f"/v1/searches/{search_id}"
    assert kept["filters"]["filed_from"] == TODAY.isoformat()
    assert good(head.caller.post("/v1/searches", body, key=key), 201) == kept
    other = good(head.caller.post("/v1/searches", {**body, "name": "دیگر"}, key=key), 409)
    assert other["code"] == "idempotency_key_reused"

    inspector, insider = town.officer("inspector"), town.officer("screener.permits")
    assert good(inspector.caller.get(f"/v1/searches/{search_id}"), 404)["code"] == "not_found"
    assert good(inspector.caller.get("/v1/cases", search=search_id), 404)
    assert good(patch(head, search_id, None, {"name": "x"}), 428)["code"] == "version_needed"
    shared = good(patch(head, search_id, 1, {"name": "بررسی همه", "shared_with": "all"}))
    assert (shared["name"], shared["version"]) == ("بررسی همه", 2)
    assert good(patch(head, search_id, 1, {"name": "x"}), 412)["code"] == "stale_version"

    assert found(head, search=search_id) == {case_id}
    assert good(insider.caller.get(f"/v1/searches/{search_id}"))["own"] is False
    assert search_id in [one["search_id"] for one in good(insider.caller.get("/v1/searches"))["items"]]
    assert found(insider, search=search_id) == set()  # the same search, their own rights
    assert found(inspector, search=search_id) == set()
    for answer in (patch(insider, search_id, 2, {"name": "مال من"}), drop(insider, search_id, 2)):
        assert good(answer, 403)["code"] == "not_allowed"
    assert good(head.caller.get(f"/v1/searches/{search_id}"))["name"] == "بررسی همه"

    good(patch(head, search_id, 2, {"shared_with": "inspector"}))
    assert good(inspector.caller.get(f"/v1/searches/{search_id}"))["name"] == "بررسی همه"
    good(insider.caller.get(f"/v1/searches/{search_id}"), 404)
    assert good(drop(head, search_id, 2), 412)["code"] == "stale_version"
    assert drop(head, search_id, 3).status_code == 204
    good(head.caller.get(f"/v1/searches/{search_id}"), 404)


def test_a_bad_search_is_not_kept(town: Town, head: Officer) -> None:
    before = len(good(head.caller.get("/v1/searches", limit=100))["items"])
    for body, field in (
        ({"name": " ", "filters": {}}, "name"),
        ({"name": "x"}, "filters"),
        ({"name": "x", "filters": {"unit": "dep.urb"}}, "filters.unit"),
        ({"name": "x", "filters": {"filed_from": "1405/00/01"}}, "filters.filed_from"),
        ({"name": "x", "filters": {}, "shared_with": "everybody"}, "shared_with"),
    ):
        for language in ("fa", "en"):
            caller = town.caller(language, token=head.caller.token)
            problem = good(caller.post("/v1/searches", body), 422)
            assert [one["field"] for one in problem["errors"]] == [field]
    assert len(good(head.caller.get("/v1/searches", limit=100))["items"]) == before
    for role in ("liaison", "analyst", "administrator"):
        officer = town.officer(role)
        assert good(officer.caller.post("/v1/searches", {"name": "x", "filters": {}}), 403)["code"] == "not_allowed"
        assert good(officer.caller.get("/v1/searches"), 403)


# --- exports ---


def exported(who: Officer, **body: Any) -> httpx.Response:
    """The file of an export, from asking to fetching."""
    asked = who.caller.post("/v1/exports", body)
    export = good(asked, 202)
    place = f"/v1/exports/{export['export_id']}"
    assert asked.headers["location"] == place
    assert export["state"] in ("waiting", "running")

    def over() -> JSON | None:
        told: JSON = good(who.caller.get(place))
        return told if told["state"] in ("done", "failed") else None

    told = eventually(over, timeout=90)
    assert told is not None
    assert told["state"] == "done", told
    assert told["rows_done"] == told["rows_total"]
    file = who.caller.get(f"{place}/file")
    assert file.status_code == 200, file.text
    assert len(file.content) == told["size"]
    assert "attachment" in file.headers["content-disposition"]
    return file


def numbers_listed(who: Officer, **filters: Any) -> list[str]:
    return [one["number"] for one in good(who.caller.get("/v1/cases", limit=100, **filters))["items"]]


def test_both_formats_hold_what_the_list_holds(town: Town, head: Officer) -> None:
    text = word()
    codes = [filed(town, text)[0].code for _ in range(3)]
    case, _, _ = town.complaint(text=f"=SUM(1;2) {text}")
    case.view()
    expected = numbers_listed(head, text=text)
    assert len(expected) == 4

    file = exported(head, filters={"text": text}, format="csv", language="fa")
    assert file.headers["content-type"].startswith("text/csv")
    assert file.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))
    assert [row["شماره"] for row in rows] == expected
    assert {row["تاریخ ثبت"] for row in rows} == {jalali.plain(TODAY)}
    assert [row["متن"] for row in rows if row["نوع"] == "شکایت"] == [f"'=SUM(1;2) {text}"]

    book = exported(head, filters={"text": text}, format="xlsx", language="en")
    sheet = load_workbook(io.BytesIO(book.content)).worksheets[0]
    headings, *lines = sheet.iter_rows(values_only=True)
    assert [line[0] for line in lines] == expected
    assert {dict(zip(headings, line, strict=True))["Stage"] for line in lines} == {"Registered"}
    whole = file.text + " ".join(str(cell) for line in lines for cell in line)
    for secret in (*codes, case.code, case.dashed, "شاکی نمونه"):
        assert secret not in whole


def test_who_belongs_to_the_unit_finds_the_case_nowhere(town: Town, head: Officer) -> None:
    text = word()
    _, against = filed(town, text)
    _, beside = filed(town, text, unit="dep.civ.roads", ground="delay")
    insider = town.officer("screener.permits")
    search = good(head.caller.post("/v1/searches", {"name": "x", "filters": {"text": text}, "shared_with": "all"}), 201)
    number = head.read(against)["number"]
    assert found(head, text=text) == {against, beside}
    for filters in ({"text": text}, {"search": search["search_id"]}, {"text": text, "sort": "due_on"}):
        assert found(insider, **filters) == {beside}, filters
    for filters in ({"number": number}, {"unit": UNIT}, {"text": text, "stage": "registered", "unit": "dep.urb"}):
        assert found(insider, **filters) == set(), filters
    for body in ({"filters": {"text": text}}, {"search": search["search_id"]}):
        file = exported(insider, **body, format="csv", language="en")
        rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
        assert [row["Unit code"] for row in rows] == ["dep.civ.roads"]


def test_an_export_is_its_owners_alone(town: Town, head: Officer) -> None:
    text = word()
    filed(town, text)
    asked = good(head.caller.post("/v1/exports", {"filters": {"text": text}, "format": "csv"}), 202)
    place = f"/v1/exports/{asked['export_id']}"
    screener = town.officer("screener")
    for answer in (
        screener.caller.get(place),
        screener.caller.get(f"{place}/file"),
        screener.caller.request("DELETE", place),
        town.officer("head").caller.get(f"/v1/exports/{uuid.uuid4()}"),
    ):
        assert good(answer, 404)["code"] == "not_found"
    assert place.rsplit("/", 1)[1] not in [
        one["export_id"] for one in good(screener.caller.get("/v1/exports"))["items"]
    ]
    assert place.rsplit("/", 1)[1] in [one["export_id"] for one in good(head.caller.get("/v1/exports"))["items"]]
    assert head.caller.request("DELETE", place).status_code == 204
    good(head.caller.get(f"{place}/file"), 404)


def test_an_analyst_lists_counts_and_exports_what_is_masked(town: Town, head: Officer) -> None:
    text = word()
    filed(town, text)
    analyst = town.officer("analyst")
    [whole] = good(head.caller.get("/v1/cases", text=text))["items"]
    number = whole["number"]
    page = good(analyst.caller.get("/v1/cases", number=number))
    [line] = page["items"]
    assert (page["masked"], line["excerpt"], line["handler"], line["number"]) == (True, "", None, number)
    assert good(analyst.caller.get("/v1/cases/count", number=number))["count"] == 1
    hiding: list[dict[str, Any]] = [{"text": text}, {"handler": [head.staff_id]}]
    for hidden in hiding:
        for path in ("/v1/cases", "/v1/cases/count"):
            assert good(analyst.caller.get(path, **hidden), 403)["code"] == "not_allowed"
        asked = analyst.caller.post("/v1/exports", {"filters": hidden, "format": "csv"})
        assert good(asked, 403)["code"] == "not_allowed"
    file = exported(analyst, filters={"number": [number]}, format="csv", language="en")
    assert number in file.text
    assert text not in file.text
    assert analyst.caller.get(f"/v1/cases/{line['case_id']}").status_code == 403


def test_who_sees_no_list_exports_nothing_and_bad_wishes_are_named(town: Town, head: Officer) -> None:
    for role in ("liaison", "administrator", "custodian"):
        assert good(town.officer(role).caller.post("/v1/exports", {"format": "csv"}), 403)["code"] == "not_allowed"
    assert town.caller().post("/v1/exports", {"format": "csv"}).status_code == 401
    before = good(head.caller.get("/v1/exports"))["items"]
    for language, message in (("fa", "یکی از مقدارهای شناخته نیست."), ("en", "It is not one of the known values.")):
        caller = town.caller(language, token=head.caller.token)
        [error] = good(caller.post("/v1/exports", {"format": "pdf"}), 422)["errors"]
        assert (error["field"], error["message"]) == ("format", message)
        assert good(caller.post("/v1/exports", {"format": "csv", "search": str(uuid.uuid4())}), 404)
    assert good(head.caller.get("/v1/exports"))["items"] == before
