"""What staff look for cases by, in which order they get them, and the searches they keep and share."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from backbone.persian import jalali
from contracts.base import now
from contracts.errors import InvalidField, KeyReused, NotAllowed, NotFound, StaleVersion, TooManySearches
from contracts.gateway import Actor
from contracts.intake import SubmissionRegistered
from contracts.media import MediaAccepted
from contracts.searches import (
    Audience,
    ChangeSearch,
    CountFoundCases,
    DropSearch,
    FileType,
    Filter,
    GetSearch,
    KeepSearch,
    ListSearches,
)
from contracts.tracking import AskCitizen
from contracts.vocabulary import Kind, Role
from tests.support.processes import eventually
from tests.support.tracking import UNIT, Office, actor, submission

MOST = 3


@pytest.fixture(scope="module")
def tracking_settings() -> dict[str, str]:
    return {"SEARCHES_MOST": str(MOST)}


def ground() -> str:
    return f"g{uuid.uuid4().hex[:12]}"


def file(office: Office, *changes: dict[str, Any], **shared: Any) -> list[SubmissionRegistered]:
    """A case for each of these, a minute apart unless said otherwise, the oldest first."""
    begun = now() - timedelta(days=1)
    filed = [
        submission(**{"filed_at": begun + timedelta(minutes=place), **shared, **change})
        for place, change in enumerate(changes)
    ]
    for submitted in filed:
        office.broker_client.publish_event(submitted)
    ids = [submitted.case_id for submitted in filed]
    eventually(lambda: office.value("SELECT count(*) FROM cases WHERE case_id = ANY(%s)", ids) == len(filed))
    return filed


def ids(office: Office, who: Actor, **filters: Any) -> list[UUID]:
    """All cases that a list gives, page by page of two."""
    case_ids: list[UUID] = []
    after = None
    while True:
        page = office.page(who, after=after, limit=2, **filters)
        case_ids += [UUID(line["case_id"]) for line in page["items"]]
        after = page["next"]
        if after is None:
            counted = {name: value for name, value in filters.items() if name != "sort"}
            assert office.ask("count_found_cases", CountFoundCases(actor=who, **counted))["count"] == len(case_ids)
            return case_ids


def tehran(day: date, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=jalali.TEHRAN)


# --- filters ---


def test_values_of_one_filter_are_alternatives_and_filters_are_combined(office: Office) -> None:
    own = ground()
    a, b, c = file(
        office, {"kind": Kind.COMPLAINT}, {"kind": Kind.CRITICISM}, {"kind": Kind.INFORMATION, "unit": "dep.civ"}, ground=own
    )  # fmt: skip
    head = office.head
    assert set(ids(office, head, ground=[own], kind=["complaint", "information"])) == {a.case_id, c.case_id}
    assert ids(office, head, ground=[own, ground()], kind=["criticism"]) == [b.case_id]
    assert ids(office, head, ground=[own], kind=["complaint"], unit=["dep.civ"]) == []
    assert set(ids(office, head, ground=[own], unit=["dep.civ", UNIT])) == {a.case_id, b.case_id, c.case_id}


def test_a_unit_filter_includes_units_below_it_by_default(office: Office) -> None:
    own = ground()
    above, below = file(office, {"unit": "dep.urb"}, {"unit": UNIT}, ground=own)
    assert set(ids(office, office.head, ground=[own], unit=["dep.urb"])) == {above.case_id, below.case_id}
    assert ids(office, office.head, ground=[own], unit=["dep.urb"], below=False) == [above.case_id]


def test_a_number_is_found_completely_or_by_its_ending_in_any_digits(office: Office) -> None:
    [filed] = file(office, {})
    number = office.get(filed.case_id)["number"]
    year, last = number.split("-")
    persian = number.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    for typed in (number, persian, last, last.lstrip("0"), f"{year}-{int(last)}", f" {number} "):
        assert ids(office, office.head, number=[typed]) == [filed.case_id], typed
    assert ids(office, office.head, number=[f"1399-{last}"]) == []
    for typed in ("", "x", "1405", "1405-", "14050-1", f"{number}x", "%"):
        if typed == "1405":  # the end of a number, of which there is none as large
            assert ids(office, office.head, number=[typed]) == []
            continue
        with pytest.raises(InvalidField) as raised:
            office.page(office.head, number=[typed])
        assert raised.value.params["fields"][0] == {"field": "number", "reason": "not_a_case_number"}


def test_date_filters_use_tehran_days_and_include_both_ends(office: Office) -> None:
    own, day = ground(), date(2026, 10, 25)
    last_minute = tehran(day - timedelta(days=1), 23, 59)
    first, late, next_day = tehran(day), tehran(day, 23, 59), tehran(day + timedelta(days=1))
    _, b, c, d = file(office, *({"filed_at": at} for at in (last_minute, first, late, next_day)), ground=own)
    assert ids(office, office.head, ground=[own], filed_from=day, filed_until=day) == [c.case_id, b.case_id]
    assert ids(office, office.head, ground=[own], filed_from=day + timedelta(days=1)) == [d.case_id]
    assert len(ids(office, office.head, ground=[own], filed_until=day)) == 3
    with pytest.raises(InvalidField) as raised:
        office.page(office.head, filed_from=day, filed_until=day - timedelta(days=1))
    assert raised.value.params["fields"] == [{"field": "filed_until", "reason": "before_its_start"}]


def test_filtering_by_the_day_of_the_decision(office: Office) -> None:
    own = ground()
    decided = office.decided(ground=own)
    file(office, {}, ground=own)
    today = jalali.today(now())
    assert ids(office, office.head, ground=[own], decided_from=today, decided_until=today) == [decided.case_id]
    assert ids(office, office.head, ground=[own], decided_until=today - timedelta(days=1)) == []
    assert ids(office, office.head, ground=[own], outcome=["upheld", "settled"]) == [decided.case_id]


def test_filtering_by_the_day_a_decision_is_due(office: Office) -> None:
    own = ground()
    soon, later = file(
        office, {"filed_at": now() - timedelta(days=20)}, {"filed_at": now() + timedelta(days=20)}, ground=own
    )
    paused, over = office.investigated(ground=own), office.decided(ground=own)
    office.do(office.inspector, paused.case_id, AskCitizen(text="کدام روز؟"))
    due = {case_id: date.fromisoformat(office.get(case_id)["expected_on"]) for case_id in (soon.case_id, later.case_id)}
    until = due[soon.case_id]
    assert ids(office, office.head, ground=[own], due_until=until) == [soon.case_id]
    assert ids(office, office.head, ground=[own], due_from=until + timedelta(days=1)) == [later.case_id]
    assert set(ids(office, office.head, ground=[own], due_from=until)) == {soon.case_id, later.case_id}
    assert ids(office, office.head, ground=[own], sort="due_on")[:2] == [soon.case_id, later.case_id]
    assert ids(office, office.head, ground=[own], sort="-due_on")[2:] == [later.case_id, soon.case_id]
    assert set(ids(office, office.head, ground=[own], sort="due_on")[2:]) == {paused.case_id, over.case_id}


def test_filtering_by_handler(office: Office) -> None:
    own = ground()
    mine = office.investigated(ground=own)
    file(office, {}, ground=own)
    assert ids(office, office.head, ground=[own], handler=[office.inspector.id, uuid.uuid4()]) == [mine.case_id]


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [("image/jpeg", "image"), ("audio/mp4", "audio"), ("video/mp4", "video"), ("application/pdf", "document")],
)
def test_filtering_by_the_type_of_attachment(office: Office, media_type: str, kind: str) -> None:
    own, media = ground(), uuid.uuid4().hex
    filed, _ = file(office, {"uploads": [media]}, {"uploads": [uuid.uuid4().hex]}, ground=own)
    assert ids(office, office.head, ground=[own], attached=[kind]) == []  # not looked at yet
    office.broker_client.publish_event(
        MediaAccepted(
            id=uuid.uuid4(),
            occurred_at=now(),
            media_id=media,
            media_type=media_type,
            size=10,
            sha256="a" * 64,
            variants=[],
        )
    )
    eventually(lambda: office.value("SELECT count(*) FROM media_states WHERE media_id = %s", media))
    assert ids(office, office.head, ground=[own], attached=[kind]) == [filed.case_id]
    assert (
        ids(office, office.head, ground=[own], attached=[file_type for file_type in FileType if file_type != kind])
        == []
    )
    assert ids(office, office.head, ground=[own], attached=list(FileType)) == [filed.case_id]


@pytest.mark.parametrize("sort", ["-filed_at", "filed_at", "due_on", "-due_on"])
def test_each_order_lists_each_case_once_across_pages(office: Office, sort: str) -> None:
    own = ground()
    filed = file(office, *[{"filed_at": now() + timedelta(days=place % 3)} for place in range(7)], ground=own)
    case_ids = ids(office, office.head, ground=[own], sort=sort)
    assert sorted(case_ids) == sorted(submitted.case_id for submitted in filed)
    backwards = sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"
    assert ids(office, office.head, ground=[own], sort=backwards) == case_ids[::-1]
    staged = ids(office, office.head, ground=[own], sort=sort, stage=["registered", "closed"])
    assert staged == case_ids


def test_a_cursor_belongs_to_its_order(office: Office) -> None:
    own = ground()
    file(office, {}, {}, ground=own)
    for sort in ("-filed_at", "filed_at", "due_on"):
        after = office.page(office.head, ground=[own], limit=1, sort=sort)["next"]
        for other in {"-filed_at", "filed_at", "due_on", "-due_on"} - {sort}:
            with pytest.raises(InvalidField) as raised:
                office.page(office.head, ground=[own], after=after, sort=other)
            assert raised.value.params["fields"] == [{"field": "after", "reason": "not_a_cursor"}]


# --- kept searches ---


def keep(office: Office, who: Actor, name: str = "جست‌وجو", **more: Any) -> Any:
    given = {"filters": Filter(), "idempotency_key": uuid.uuid4().hex, **more}
    return office.ask("keep_search", KeepSearch(actor=who, name=name, **given))


def listed(office: Office, who: Actor) -> list[str]:
    search_ids, after = [], None
    while True:
        page = office.ask("list_searches", ListSearches(actor=who, after=after, limit=1))
        search_ids += [item["search_id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            return search_ids


def test_a_search_is_saved_read_renamed_and_deleted_by_its_owner(office: Office) -> None:
    me = actor(Role.HEAD)
    filters = Filter(unit=["dep.urb"], below=False, filed_from=date(2026, 10, 25), text="پایان کار")
    kept = keep(office, me, "  شهرسازی ", filters=filters, sort="due_on")
    assert (kept["name"], kept["version"], kept["own"], kept["owner"]) == ("شهرسازی", 1, True, me.id)
    assert Filter.model_validate(kept["filters"]) == filters
    assert listed(office, me) == [kept["search_id"]]
    change = ChangeSearch(actor=me, search_id=kept["search_id"], expected_version=1, name="عمران")
    renamed = office.ask("change_search", change)
    assert (renamed["name"], renamed["version"], renamed["sort"]) == ("عمران", 2, "due_on")
    with pytest.raises(StaleVersion) as raised:
        office.ask("change_search", change)
    assert raised.value.params == {"current": 2}
    with pytest.raises(StaleVersion):
        office.ask("drop_search", DropSearch(actor=me, search_id=kept["search_id"], expected_version=1))
    assert office.ask("get_search", GetSearch(actor=me, search_id=kept["search_id"])) == renamed
    office.ask("drop_search", DropSearch(actor=me, search_id=kept["search_id"], expected_version=2))
    assert listed(office, me) == []


def test_it_is_shared_with_one_role_or_all_and_changed_only_by_its_owner(office: Office) -> None:
    me, head, inspector = actor(Role.HEAD), actor(Role.HEAD), actor(Role.INSPECTOR)
    kept = keep(office, me)
    read = [GetSearch(actor=reader, search_id=kept["search_id"]) for reader in (head, inspector)]
    for request in read:
        with pytest.raises(NotFound):
            office.ask("get_search", request)
    share = ChangeSearch(actor=me, search_id=kept["search_id"], expected_version=1, shared_with=Audience.INSPECTOR)
    office.ask("change_search", share)
    assert office.ask("get_search", read[1])["own"] is False
    with pytest.raises(NotFound):
        office.ask("get_search", read[0])
    again = share.model_copy(update={"expected_version": 2, "shared_with": Audience.ALL})
    office.ask("change_search", again)
    assert kept["search_id"] in listed(office, head)
    for other in (head, inspector):
        with pytest.raises(NotAllowed):
            office.ask("change_search", again.model_copy(update={"actor": other, "expected_version": 3}))
        with pytest.raises(NotAllowed):
            office.ask("drop_search", DropSearch(actor=other, search_id=kept["search_id"], expected_version=3))
    office.ask("drop_search", DropSearch(actor=me, search_id=kept["search_id"], expected_version=3))


def test_a_shared_search_finds_only_what_its_reader_may_see(office: Office) -> None:
    own, me = ground(), actor(Role.HEAD)
    against, elsewhere = file(office, {}, {"unit": "dep.civ"}, ground=own)
    kept = keep(office, me, filters=Filter(ground=[own]), shared_with=Audience.ALL)["search_id"]
    assert set(ids(office, me, search=kept)) == {against.case_id, elsewhere.case_id}
    assert ids(office, me, search=kept, unit=["dep.civ"]) == [elsewhere.case_id]  # both have to hold
    assert ids(office, actor(Role.SCREENER, UNIT), search=kept) == [elsewhere.case_id]
    assert ids(office, office.inspector, search=kept) == []
    with pytest.raises(NotFound):
        office.page(me, search=uuid.uuid4())


def test_saved_searches_are_limited_and_a_repetition_adds_none(office: Office) -> None:
    me, key = actor(Role.SCREENER), uuid.uuid4().hex
    first = keep(office, me, idempotency_key=key)
    assert keep(office, me, idempotency_key=key) == first
    with pytest.raises(KeyReused):
        keep(office, me, "دیگر", idempotency_key=key)
    for _ in range(MOST - 1):
        keep(office, me)
    with pytest.raises(TooManySearches) as raised:
        keep(office, me)
    assert raised.value.params == {"limit": MOST}
    assert len(listed(office, me)) >= MOST


@pytest.mark.parametrize(
    ("changes", "field"), [({"name": " "}, "name"), ({"filters": Filter(number=["x"])}, "filters.number")]
)
def test_an_invalid_search_is_not_saved(office: Office, changes: dict[str, Any], field: str) -> None:
    me = actor(Role.HEAD)
    with pytest.raises(InvalidField) as raised:
        keep(office, me, **{"name": "نام", **changes})
    assert raised.value.params["fields"][0]["field"] == field
    assert office.value("SELECT count(*) FROM searches WHERE owner = %s", me.id) == 0


@pytest.mark.parametrize("role", [Role.LIAISON, Role.ANALYST, Role.ADMINISTRATOR, Role.CUSTODIAN, Role.OPERATOR])
def test_roles_without_cases_save_and_read_no_search(office: Office, role: Role) -> None:
    with pytest.raises(NotAllowed):
        keep(office, actor(role))
    with pytest.raises(NotAllowed):
        office.ask("list_searches", ListSearches(actor=actor(role)))
    if role is not Role.ANALYST:  # who counts them all, and has no searches
        with pytest.raises(NotAllowed):
            office.ask("count_found_cases", CountFoundCases(actor=actor(role)))
