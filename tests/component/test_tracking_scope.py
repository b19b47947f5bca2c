"""Who may know of which case; lists, search and pages. A conflict of interest hides a case in every one of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.base import now
from contracts.errors import InvalidField, NotAllowed, UnknownCase
from contracts.gateway import Actor
from contracts.identities import AskForIdentity, DecideIdentityRequest
from contracts.intake import SubmissionRegistered
from contracts.searches import CountFoundCases
from contracts.tracking import AddNote, Assign, AuthorizeIdentity, AuthorizeMedia, Correct, Merge, StartScreening
from contracts.vocabulary import IDENTITY_ROLES, Kind, Role
from tests.support.processes import eventually
from tests.support.tracking import UNIT, Office, actor, staff, submission

FILED_AT = now()


def ground() -> str:
    """A ground of one test's own, so that its lists hold its own cases alone."""
    return f"g{uuid.uuid4().hex[:12]}"


def file(office: Office, count: int, **changes: Any) -> list[SubmissionRegistered]:
    """So many cases, a second apart, the oldest first."""
    filed = [submission(filed_at=FILED_AT + timedelta(seconds=place), **changes) for place in range(count)]
    for submitted in filed:
        office.broker_client.publish_event(submitted)
    ids = [submitted.case_id for submitted in filed]
    eventually(lambda: office.value("SELECT count(*) FROM cases WHERE case_id = ANY(%s)", ids) == count)
    return filed


CONFLICTED = ["dep.urb.permits", "dep.urb.permits.desk"]
FREE = ["insp", "dep.urb", "dep.urb.control", "dep.civ", "nowhere", None]


@pytest.mark.parametrize("role", [Role.SCREENER, Role.HEAD, Role.INSPECTOR])
@pytest.mark.parametrize("unit", CONFLICTED)
def test_staff_of_the_unit_or_below_never_see_the_case(office: Office, role: Role, unit: str) -> None:
    own = ground()
    filed = office.investigated(ground=own, text="زاغ سیاه", uploads=["m" * 22])
    who = actor(role, unit, UUID(office.inspector.id) if role is Role.INSPECTOR else None)
    number = office.get(filed.case_id)["number"]
    ways: list[Callable[[], Any]] = [
        lambda: office.get(filed.case_id, who),
        lambda: office.do(who, filed.case_id, AddNote(text="x")),
        lambda: office.do(who, filed.case_id, StartScreening(), version=99),
        lambda: office.ask("authorize_media", AuthorizeMedia(actor=who, media_id="m" * 22)),
    ]
    for way in ways:
        with pytest.raises(UnknownCase) as raised:
            way()
        assert raised.value.params == {}  # nothing tells it from a case that is not there
    for filters in ({"ground": own}, {"text": "زاغ"}, {"text": number}, {"unit": UNIT}, {"stage": ["investigating"]}):
        assert number not in office.numbers(who, **filters)
        assert number in office.numbers(office.head, **filters)


@pytest.mark.parametrize("unit", FREE)
def test_staff_of_sibling_or_parent_units_see_the_case(office: Office, unit: str | None) -> None:
    filed = office.open()
    assert office.get(filed.case_id, actor(Role.SCREENER, unit))["case_id"] == str(filed.case_id)


def test_the_unit_from_accounts_counts_as_much_as_that_of_the_token(office: Office) -> None:
    filed = office.open()
    moved = actor(Role.SCREENER, "insp")
    assert office.get(filed.case_id, moved)
    office.broker_client.publish_event(staff(moved, unit=UNIT))
    eventually(lambda: office.rows("SELECT 1 FROM staff WHERE staff_id = %s", moved.id))
    with pytest.raises(UnknownCase):
        office.get(filed.case_id, moved)
    office.broker_client.publish_event(staff(moved, version=3, unit="insp", active=False))
    office.broker_client.publish_event(staff(moved, version=2, unit="insp"))  # old news
    eventually(lambda: office.rows("SELECT 1 FROM staff WHERE staff_id = %s AND version = 3", moved.id))
    with pytest.raises(NotAllowed):
        office.get(filed.case_id, moved)


def test_a_case_is_neither_assigned_to_nor_merged_by_conflicted_staff(office: Office) -> None:
    filed, other = office.open(), office.open(unit="dep.civ")
    office.do(office.screener, filed.case_id, StartScreening())
    with pytest.raises(InvalidField) as raised:
        office.do(office.screener, filed.case_id, Assign(inspector=UUID(office.insider.id)))
    assert raised.value.params["fields"][0]["reason"] == "conflict_of_interest"
    inside = actor(Role.SCREENER, UNIT)
    office.do(inside, other.case_id, StartScreening())
    errors = []
    for into in (filed.case_id, uuid.uuid4()):
        with pytest.raises(InvalidField) as raised:
            office.do(inside, other.case_id, Merge(into=into))
        errors.append(raised.value.params)
    assert errors[0] == errors[1]


def test_staff_no_longer_see_a_case_corrected_to_their_own_unit(office: Office) -> None:
    filed = office.open(unit=None, unit_name_fa=None, unit_name_en=None)
    inside = actor(Role.SCREENER, UNIT)
    office.do(inside, filed.case_id, StartScreening())
    assert office.do(inside, filed.case_id, Correct(unit=UNIT), key="found-it-out")["unit"] == UNIT
    with pytest.raises(UnknownCase):
        office.get(filed.case_id, inside)
    with pytest.raises(UnknownCase):
        office.do(inside, filed.case_id, Correct(unit=UNIT), key="found-it-out")


def test_an_inspector_sees_the_cases_assigned_to_them_now(office: Office) -> None:
    own = ground()
    first, second = (office.investigated(ground=own) for _ in range(2))
    file(office, 2, ground=own)
    assert len(office.numbers(office.head, ground=own)) == 4
    assert len(office.numbers(office.inspector, ground=own)) == 2
    office.do(office.screener, first.case_id, Assign(inspector=UUID(office.other_inspector.id)))
    assert office.numbers(office.inspector, ground=own) == [office.get(second.case_id)["number"]]
    assert office.numbers(office.other_inspector, ground=own) == [office.get(first.case_id)["number"]]


def test_roles_without_cases_get_no_list(office: Office) -> None:
    for role in (Role.LIAISON, Role.ADMINISTRATOR, Role.CUSTODIAN, Role.OPERATOR):
        with pytest.raises(NotAllowed):
            office.page(actor(role))
    with pytest.raises(NotAllowed):
        office.page(Actor(kind="bearer", id="x", roles=frozenset({Role.HEAD})))


def test_an_analyst_sees_cases_without_their_texts(office: Office) -> None:
    own, analyst = ground(), actor(Role.ANALYST)
    case = office.investigated(ground=own, text="خرسستان همسایه ماست")
    page = office.page(analyst, ground=[own])
    [line], [whole] = page["items"], office.page(office.head, ground=[own])["items"]
    assert page["masked"]
    assert (whole["excerpt"], whole["handler"]) == ("خرسستان همسایه ماست", office.inspector.id)
    rest = {name: value for name, value in whole.items() if name not in ("handler", "handler_name")}
    assert line == {**rest, "excerpt": "", "unread": False}
    assert office.page(analyst, ground=[own], sort="due_on", stage=["investigating"])["items"] == [line]
    for hidden in ({"text": "خرسستان"}, {"text": "ه"}, {"handler": [office.inspector.id]}):
        with pytest.raises(NotAllowed):
            office.page(analyst, ground=[own], **hidden)
        with pytest.raises(NotAllowed):
            office.ask("count_found_cases", CountFoundCases.model_validate({"actor": analyst, **hidden}))
    # Of the unit complained about they see no more than others of it; what is masked comes back into no case.
    of_it = actor(Role.ANALYST, unit=whole["unit"])
    assert office.page(of_it, ground=[own])["items"] == []
    for command in (AddNote(text="-"), Correct(ground=own)):
        with pytest.raises(NotAllowed):
            office.do(analyst, case.case_id, command)
    # Who is something else besides sees what that one sees.
    both = office.head.model_copy(update={"roles": frozenset({Role.ANALYST, Role.HEAD})})
    assert office.page(both, ground=[own])["items"] == [whole]


def test_filters_narrow_a_list(office: Office) -> None:
    own = ground()
    file(office, 2, ground=own)
    [information] = file(office, 1, ground=own, kind=Kind.INFORMATION, unit="dep.civ")
    screened = office.open(ground=own)
    office.do(office.screener, screened.case_id, StartScreening())
    office.do(office.screener, screened.case_id, Correct(urgent=True))

    def count(**filters: Any) -> int:
        return len(office.numbers(office.head, ground=own, **filters))

    assert count() == 4
    assert count(kind="information") == 1
    assert count(stage=["screening"]) == 1
    assert count(stage=["screening", "registered", "screening"]) == 4
    assert count(stage=["closed"]) == 0
    assert count(unit="dep.urb") == 3  # with all below it
    assert count(unit="mq") == 4
    assert count(unit="dep.civ", stage=["registered"]) == 1
    assert count(urgent=True) == 1
    assert count(handler=uuid.uuid4()) == 0
    assert count(outcome="upheld") == 0
    assert count(filed_since=information.filed_at + timedelta(days=1)) == 0
    assert count(filed_before=FILED_AT + timedelta(microseconds=1)) == 2


def test_search_compares_normalised_persian(office: Office) -> None:
    own = ground()
    typed = "خیابان كاشاني می‌خواهم پلاک ۱۲۳ رسيدگي كنيد، آب و برق قطع است"  # Arabic letters on purpose
    [filed] = file(office, 1, ground=own, text=typed)
    file(office, 2, ground=own, text="چیز دیگری است")
    number = office.get(filed.case_id)["number"]

    file(office, 1, ground=own, text=f"درباره پرونده {number} است")  # is not that case

    def finds(words: str) -> bool:
        return office.numbers(office.head, ground=own, text=words) == [number]

    persian = number.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    assert finds(persian)
    assert finds(f"{persian} خیابان")
    assert not finds(f"{number} چیز")

    for words in (
        "کاشانی",
        "كاشاني",
        "می خواهم",
        "می‌خواهم",
        "123",
        "١٢٣",
        "پلاک ۱۲۳",
        "برق قطع کاشانی",  # all words, in any order
        "رسیدگی",
        "آب",  # short: where a word begins
        number,
        number.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")),
    ):
        assert finds(words), words
    for words in ("شیراز", "کاشانی شیراز", "اش", "%", "_", "ا_ب"):
        assert not finds(words), words
    assert len(office.numbers(office.head, ground=own, text="   ")) == 4


def test_a_list_item_contains_only_an_excerpt(office: Office) -> None:
    own = ground()
    file(office, 1, ground=own, text="ب" * 500)
    [line] = office.page(office.head, ground=own)["items"]
    assert line["excerpt"] == "ب" * 32
    assert line["unit_name_fa"] == "اداره پروانه"


def test_pages_list_each_case_once_while_cases_are_added(office: Office) -> None:
    own = ground()
    filed = file(office, 23, ground=own)
    twins = [submission(ground=own, filed_at=FILED_AT) for _ in range(3)]  # at the very same moment
    for twin in twins:
        office.broker_client.publish_event(twin)
    eventually(lambda: len(office.numbers(office.head, ground=own)) == 26)
    seen, after, pages = [], None, 0
    while True:
        page = office.page(office.head, ground=own, after=after, limit=5)
        seen += [line["case_id"] for line in page["items"]]
        after, pages = page["next"], pages + 1
        if after is None:
            break
        office.open(ground=own, filed_at=now() + timedelta(hours=1))
    assert sorted(seen) == sorted(str(submitted.case_id) for submitted in [*filed, *twins])
    assert pages == 6
    moments = [office.value("SELECT filed_at FROM cases WHERE case_id = %s", case_id) for case_id in seen]
    assert moments == sorted(moments, reverse=True)


@pytest.mark.parametrize("stages", [[], ["registered"], ["registered", "screening"]])
def test_pages_sorted_by_stage_have_no_gap_and_no_repetition(office: Office, stages: list[str]) -> None:
    own = ground()
    for place, submitted in enumerate(file(office, 7, ground=own)):
        if place % 2 and len(stages) != 1:
            office.do(office.screener, submitted.case_id, StartScreening())
    first = office.page(office.head, ground=own, stage=stages, limit=3)
    rest = office.page(office.head, ground=own, stage=stages, limit=100, after=first["next"])
    assert len(first["items"]) == 3
    assert len(rest["items"]) == 4
    assert rest["next"] is None


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "!" * 32, "é", "f" * 32])
def test_an_invalid_cursor_is_refused(office: Office, cursor: str) -> None:
    with pytest.raises(InvalidField):
        office.page(office.head, after=cursor)


def consented(office: Office, who: Actor, case_id: UUID) -> None:
    """A custodian has consented to that they open who filed this case."""
    values = {"reason": "برای دعوت به جلسه", "minutes": 60, "idempotency_key": uuid.uuid4().hex}
    request = office.ask("ask_for_identity", AskForIdentity(actor=who, case_id=case_id, **values))
    word = DecideIdentityRequest(actor=actor(Role.CUSTODIAN), request_id=request["request_id"], consent=True)
    office.ask("decide_identity_request", word)


@pytest.mark.parametrize("role", [Role.HEAD, Role.CUSTODIAN])
class TestIdentityOfACase:
    """Tracking says who may open an identity; intake, which opens it, knows nothing of conflicts of interest."""

    def may(self, office: Office, who: Actor, case_id: UUID) -> Any:
        """With a consent, where it can be asked for."""
        consented(office, who, case_id)
        return office.ask("authorize_identity", AuthorizeIdentity(actor=who, case_id=case_id))

    @pytest.mark.parametrize("unit", FREE)
    def test_is_permitted_to_head_and_custodian_of_no_or_another_unit(
        self, office: Office, role: Role, unit: str | None
    ) -> None:
        filed = office.open()
        assert self.may(office, actor(role, unit), filed.case_id)["case_id"] == str(filed.case_id)

    @pytest.mark.parametrize("unit", CONFLICTED)
    def test_is_hidden_from_staff_of_the_unit_or_below_as_an_unknown_case(
        self, office: Office, role: Role, unit: str
    ) -> None:
        filed = office.open()
        for case_id in (filed.case_id, uuid.uuid4()):
            with pytest.raises(UnknownCase) as raised:
                self.may(office, actor(role, unit), case_id)
            assert raised.value.params == {}

    def test_is_hidden_from_staff_moved_to_the_unit(self, office: Office, role: Role) -> None:
        filed, moved = office.open(), actor(role, "insp")
        consented(office, moved, filed.case_id)
        office.broker_client.publish_event(staff(moved, unit=UNIT))
        eventually(lambda: office.rows("SELECT 1 FROM staff WHERE staff_id = %s", moved.id))
        with pytest.raises(UnknownCase):
            office.ask("authorize_identity", AuthorizeIdentity(actor=moved, case_id=filed.case_id))


@pytest.mark.parametrize("role", sorted(set(Role) - IDENTITY_ROLES))
def test_no_other_role_may_learn_who_filed_a_case(office: Office, role: Role) -> None:
    filed = office.open()
    with pytest.raises(NotAllowed):
        office.ask("authorize_identity", AuthorizeIdentity(actor=actor(role), case_id=filed.case_id))


def test_a_custodian_still_sees_no_case(office: Office) -> None:
    filed, custodian = office.open(), actor(Role.CUSTODIAN)
    with pytest.raises(NotAllowed):
        office.get(filed.case_id, custodian)
    with pytest.raises(NotAllowed):
        office.numbers(custodian)
