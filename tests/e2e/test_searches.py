"""Staff look for cases over the gateway: by each filter, by kept searches, and into files. What nobody may see is in none."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from backbone.persian import jalali
from contracts.base import now
from deploy.demo import evidence
from tests.e2e.people import JSON, UNIT, Case, Officer, Town, good
from tests.support.processes import eventually


def word() -> str:
    """A word that no other case has: what a test filed is found by it."""
    return "واژه" + "".join("بپتثجچحخدذرزژسشص"[int(digit, 16)] for digit in uuid.uuid4().hex[:12])


@pytest.fixture(scope="module")
def head(town: Town) -> Officer:
    return town.officer("head")


def filed(town: Town, text: str, **body: Any) -> tuple[Case, str]:
    """A case, registered, and its id."""
    about = {"kind": "criticism", "unit": UNIT, "ground": "delay", "anonymous": True}
    case = town.file(town.caller(), **{**about, "text": f"پرونده من مانده است، {text}", **body})
    return case, str(case.view()["case_id"])


def case_ids(who: Officer, **filters: Any) -> set[str]:
    """The ids that the list gives, which are as many as the count says."""
    items = good(who.caller.get("/v1/cases", limit=100, **filters))["items"]
    filters.pop("sort", None)
    assert good(who.caller.get("/v1/cases/count", **filters)) == {"count": len(items)}
    return {item["case_id"] for item in items}


def day_of(who: Officer, case_id: str) -> date:
    """The day in Tehran on which it was filed: a test may run over midnight there."""
    return jalali.today(datetime.fromisoformat(who.read(case_id)["filed_at"]))


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
    first_day, last_day = day_of(head, plain), day_of(head, decided)
    [decided_at] = (line["at"] for line in head.read(decided)["timeline"] if line["entry"] == "decided")
    decided_on = jalali.today(datetime.fromisoformat(decided_at))
    tomorrow, yesterday = jalali.today(now()) + timedelta(days=1), first_day - timedelta(days=1)
    assert case_ids(head, text=text) == everything
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
        ({"filed_from": persian(first_day), "filed_until": persian(last_day)}, everything),
        ({"filed_from": first_day.isoformat()}, everything),
        ({"filed_from": jalali.plain(tomorrow)}, set()),
        ({"filed_until": persian(yesterday)}, set()),
        ({"filed_until": now().isoformat()}, everything),
        ({"decided_from": persian(decided_on), "decided_until": decided_on.isoformat()}, {decided}),
        ({"decided_until": persian(yesterday)}, set()),
        ({"due_from": persian(due), "due_until": persian(due)}, {plain}),
        ({"due_until": persian(yesterday)}, set()),
        ({"attached": "audio"}, set()),
    ):
        assert case_ids(head, text=text, **filters) == expected, filters
    eventually(lambda: case_ids(head, text=text, attached=["image", "video"]) == {other}, timeout=60)
    in_order = good(head.caller.get("/v1/cases", text=text, sort="filed_at"))["items"]
    assert [item["case_id"] for item in in_order] == [plain, other, decided]
    by_due = good(head.caller.get("/v1/cases", text=text, sort="due_on", limit=1))
    assert by_due["items"][0]["case_id"] == plain
    rest = good(head.caller.get("/v1/cases", text=text, sort="due_on", after=by_due["next"]))["items"]
    assert [item["case_id"] for item in rest] == [other, decided]


# No number of a plate that may be that of a case.
@pytest.mark.parametrize(("typed", "sought"), [("كتابي‌ست", "کتابی ست"), ("مُهمّ", "مهم"), ("پلاک ۹۴۲۷۱۶", "942716")])
def test_words_are_found_in_any_spelling(town: Town, head: Officer, typed: str, sought: str) -> None:
    text = word()
    _, case_id = filed(town, f"{text} {typed}")
    filed(town, text)
    assert case_ids(head, text=f"{text} {sought}") == {case_id}


@pytest.mark.parametrize(
    ("field", "value", "fa", "en"),
    [
        ("filed_from", "1405/13/01", "باید روزی مانند", "It must be a day such as"),
        ("due_until", "فردا", "باید روزی مانند", "It must be a day such as"),
        ("decided_from", "2026-02-30", "باید روزی مانند", "It must be a day such as"),
        ("filed_until", "2026/13/25", "باید روزی مانند", "It must be a day such as"),
        ("number", "پنج", "قالب آن درست نیست", "Its form is not right"),
        ("kind", "praise", "باید یکی از این‌ها باشد: complaint", "It must be one of these: complaint"),
        ("stage", "lost", "باید یکی از این‌ها باشد: registered", "It must be one of these: registered"),
        ("attached", "exe", "باید یکی از این‌ها باشد: image", "It must be one of these: image"),
        ("sort", "colour", "باید یکی از این‌ها باشد: -filed_at", "It must be one of these: -filed_at"),
        ("handler", "x", "باید شناسه‌ای (UUID) باشد", "(UUID)"),
        ("search", "x", "باید شناسه‌ای (UUID) باشد", "(UUID)"),
        ("after", "AAAA", "باید مقدار next صفحه پیشین", "the value of next of the page before"),
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


def test_a_period_that_ends_before_it_begins_is_refused(town: Town, head: Officer) -> None:
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


def test_a_search_is_saved_shared_run_and_deleted(town: Town, head: Officer) -> None:
    text, key = word(), uuid.uuid4().hex
    _, case_id = filed(town, text)
    since = day_of(head, case_id)
    body = {"name": "بررسی من", "filters": {"text": text, "filed_from": persian(since)}, "sort": "due_on"}
    made = head.caller.post("/v1/searches", body, key=key)
    kept = good(made, 201)
    search_id = kept["search_id"]
    assert made.headers["etag"] == '"1"'
    assert made.headers["location"] == f"/v1/searches/{search_id}"
    assert kept["filters"]["filed_from"] == since.isoformat()
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

    assert case_ids(head, search=search_id) == {case_id}
    assert good(insider.caller.get(f"/v1/searches/{search_id}"))["own"] is False
    assert search_id in [item["search_id"] for item in good(insider.caller.get("/v1/searches"))["items"]]
    assert case_ids(insider, search=search_id) == set()  # the same search, their own rights
    assert case_ids(inspector, search=search_id) == set()
    for answer in (patch(insider, search_id, 2, {"name": "مال من"}), drop(insider, search_id, 2)):
        assert good(answer, 403)["code"] == "not_allowed"
    assert good(head.caller.get(f"/v1/searches/{search_id}"))["name"] == "بررسی همه"

    good(patch(head, search_id, 2, {"shared_with": "inspector"}))
    assert good(inspector.caller.get(f"/v1/searches/{search_id}"))["name"] == "بررسی همه"
    good(insider.caller.get(f"/v1/searches/{search_id}"), 404)
    assert good(drop(head, search_id, 2), 412)["code"] == "stale_version"
    assert drop(head, search_id, 3).status_code == 204
    good(head.caller.get(f"/v1/searches/{search_id}"), 404)


def test_a_bad_search_is_not_saved(town: Town, head: Officer) -> None:
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
            assert [error["field"] for error in problem["errors"]] == [field]
    assert len(good(head.caller.get("/v1/searches", limit=100))["items"]) == before
    for role in ("liaison", "analyst", "administrator"):
        officer = town.officer(role)
        assert good(officer.caller.post("/v1/searches", {"name": "x", "filters": {}}), 403)["code"] == "not_allowed"
        assert good(officer.caller.get("/v1/searches"), 403)


# --- exports ---


def exported(who: Officer, **body: Any) -> httpx.Response:
    """The file of an export, from asking to fetching."""
    answer = who.caller.post("/v1/exports", body)
    export = good(answer, 202)
    place = f"/v1/exports/{export['export_id']}"
    assert answer.headers["location"] == place
    assert export["state"] in ("waiting", "running")

    def over() -> JSON | None:
        export_now: JSON = good(who.caller.get(place))
        return export_now if export_now["state"] in ("done", "failed") else None

    ended = eventually(over, timeout=90)
    assert ended is not None
    assert ended["state"] == "done", ended
    assert ended["rows_done"] == ended["rows_total"]
    file = who.caller.get(f"{place}/file")
    assert file.status_code == 200, file.text
    assert len(file.content) == ended["size"]
    assert "attachment" in file.headers["content-disposition"]
    return file


def numbers_listed(who: Officer, **filters: Any) -> list[str]:
    return [item["number"] for item in good(who.caller.get("/v1/cases", limit=100, **filters))["items"]]


def test_both_formats_contain_the_list(town: Town, head: Officer) -> None:
    text = word()
    cases = [filed(town, text) for _ in range(3)]
    codes = [case.code for case, _ in cases]
    case, _, _ = town.complaint(text=f"=SUM(1;2) {text}")
    days = {day_of(head, case_id) for case_id in (*(of for _, of in cases), str(case.view()["case_id"]))}
    expected = numbers_listed(head, text=text)
    assert len(expected) == 4

    file = exported(head, filters={"text": text}, format="csv", language="fa")
    assert file.headers["content-type"].startswith("text/csv")
    assert file.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))
    assert [row["شماره"] for row in rows] == expected
    assert {row["تاریخ ثبت"] for row in rows} == {jalali.plain(day) for day in days}
    assert [row["متن"] for row in rows if row["نوع"] == "شکایت"] == [f"'=SUM(1;2) {text}"]

    book = exported(head, filters={"text": text}, format="xlsx", language="en")
    worksheet = load_workbook(io.BytesIO(book.content)).worksheets[0]
    headings, *lines = worksheet.iter_rows(values_only=True)
    assert [line[0] for line in lines] == expected
    assert {dict(zip(headings, line, strict=True))["Stage"] for line in lines} == {"Registered"}
    whole = file.text + " ".join(str(cell) for line in lines for cell in line)
    for secret in (*codes, case.code, case.dashed, "شاکی نمونه"):
        assert secret not in whole


def test_staff_of_the_unit_find_the_case_nowhere(town: Town, head: Officer) -> None:
    text = word()
    _, against = filed(town, text)
    _, elsewhere = filed(town, text, unit="dep.civ.roads", ground="delay")
    insider = town.officer("screener.permits")
    search = good(head.caller.post("/v1/searches", {"name": "x", "filters": {"text": text}, "shared_with": "all"}), 201)
    number = head.read(against)["number"]
    assert case_ids(head, text=text) == {against, elsewhere}
    for filters in ({"text": text}, {"search": search["search_id"]}, {"text": text, "sort": "due_on"}):
        assert case_ids(insider, **filters) == {elsewhere}, filters
    for filters in ({"number": number}, {"unit": UNIT}, {"text": text, "stage": "registered", "unit": "dep.urb"}):
        assert case_ids(insider, **filters) == set(), filters
    for body in ({"filters": {"text": text}}, {"search": search["search_id"]}):
        file = exported(insider, **body, format="csv", language="en")
        rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
        assert [row["Unit code"] for row in rows] == ["dep.civ.roads"]


def test_only_its_owner_reads_an_export(town: Town, head: Officer) -> None:
    text = word()
    filed(town, text)
    accepted = good(head.caller.post("/v1/exports", {"filters": {"text": text}, "format": "csv"}), 202)
    place = f"/v1/exports/{accepted['export_id']}"
    screener = town.officer("screener")
    for answer in (
        screener.caller.get(place),
        screener.caller.get(f"{place}/file"),
        screener.caller.request("DELETE", place),
        town.officer("head").caller.get(f"/v1/exports/{uuid.uuid4()}"),
    ):
        assert good(answer, 404)["code"] == "not_found"
    assert place.rsplit("/", 1)[1] not in [
        item["export_id"] for item in good(screener.caller.get("/v1/exports"))["items"]
    ]
    assert place.rsplit("/", 1)[1] in [item["export_id"] for item in good(head.caller.get("/v1/exports"))["items"]]
    assert head.caller.request("DELETE", place).status_code == 204
    good(head.caller.get(f"{place}/file"), 404)


def test_an_analyst_lists_counts_and_exports_masked_cases(town: Town, head: Officer) -> None:
    text = word()
    filed(town, text)
    analyst = town.officer("analyst")
    [whole] = good(head.caller.get("/v1/cases", text=text))["items"]
    number = whole["number"]
    page = good(analyst.caller.get("/v1/cases", number=number))
    [line] = page["items"]
    assert (page["masked"], line["excerpt"], "handler" in line, line["number"]) == (True, "", False, number)
    assert good(analyst.caller.get("/v1/cases/count", number=number))["count"] == 1
    hiding: list[dict[str, Any]] = [{"text": text}, {"handler": [head.staff_id]}]
    for hidden in hiding:
        for path in ("/v1/cases", "/v1/cases/count"):
            assert good(analyst.caller.get(path, **hidden), 403)["code"] == "not_allowed"
        answer = analyst.caller.post("/v1/exports", {"filters": hidden, "format": "csv"})
        assert good(answer, 403)["code"] == "not_allowed"
    file = exported(analyst, filters={"number": [number]}, format="csv", language="en")
    assert number in file.text
    assert text not in file.text
    assert analyst.caller.get(f"/v1/cases/{line['case_id']}").status_code == 403


def test_roles_without_a_list_export_nothing_and_bad_requests_are_explained(town: Town, head: Officer) -> None:
    for role in ("liaison", "administrator", "custodian"):
        assert good(town.officer(role).caller.post("/v1/exports", {"format": "csv"}), 403)["code"] == "not_allowed"
    assert town.caller().post("/v1/exports", {"format": "csv"}).status_code == 401
    before = good(head.caller.get("/v1/exports"))["items"]
    for language, message in (
        ("fa", "باید یکی از این‌ها باشد: csv، xlsx"),
        ("en", "It must be one of these: csv, xlsx"),
    ):
        caller = town.caller(language, token=head.caller.token)
        [error] = good(caller.post("/v1/exports", {"format": "pdf"}), 422)["errors"]
        assert (error["field"], error["message"]) == ("format", message)
        assert good(caller.post("/v1/exports", {"format": "csv", "search": str(uuid.uuid4())}), 404)
    assert good(head.caller.get("/v1/exports"))["items"] == before
