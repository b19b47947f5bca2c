"""The counter in tracking: an operator's own list, what they may do, and codes and citizens that change."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backbone.messaging.consumers import TryLater
from backbone.persian import jalali
from contracts.base import now
from contracts.desk import AuthorizeDesk, ListDeskCases, SubmissionClaimed
from contracts.errors import CorrectionTooLate, InvalidField, NotAllowed, UnknownCase
from contracts.gateway import Actor, Consent
from contracts.intake import CodeHolder, SubmissionRecoded, SubmissionRegistered
from contracts.tracking import ListOwnCases, ViewByCode
from contracts.vocabulary import ActorKind, Channel, Kind, Role
from deploy.local.parts import PostgreSQL
from tests.support.tracking import actor, code_hash, staff
from tests.support.tracking_in_process import TrackingInProcess

OPERATOR = actor(Role.OPERATOR)


@pytest.fixture(scope="module")
def office(postgres: PostgreSQL) -> TrackingInProcess:
    made = TrackingInProcess(postgres.url, "tracking_desk")
    made.handle("keep_staff", staff(OPERATOR))
    return made


def filed(
    office: TrackingInProcess, operator: Actor, to: tuple[str, ...] = ("filing",), **more: Any
) -> SubmissionRegistered:
    consent = Consent(form="spoken", to=list(to), recorded_by=UUID(operator.id), recorded_at=now())
    return office.open(consent=consent, channel=Channel.COUNTER, **more)


def listed(office: TrackingInProcess, who: Actor, **filters: Any) -> list[UUID]:
    return [item.case_id for item in office.ask("list_desk_cases", ListDeskCases(actor=who, **filters)).items]


def recoded(
    case: SubmissionRegistered, new: str, attempt: int, reason: str = "corrected", holder: CodeHolder | None = None
) -> SubmissionRecoded:
    return SubmissionRecoded(
        id=uuid.uuid4(),
        occurred_at=now(),
        case_id=case.case_id,
        old_code_hash=case.code_hash,
        code_hash=new,
        reason=reason,
        attempt=attempt,
        by=UUID(OPERATOR.id),
        holder=holder,
    )


def claimed(case: SubmissionRegistered, citizen: UUID, attempt: int = 0) -> SubmissionClaimed:
    return SubmissionClaimed(
        id=uuid.uuid4(), occurred_at=now(), case_id=case.case_id, citizen_id=citizen, attempt=attempt
    )


def case_of(office: TrackingInProcess, code: str) -> UUID | None:
    try:
        view = office.ask("view_by_code", ViewByCode(code_hashes=[code]))
    except UnknownCase:
        return None
    return UUID(str(view.case_id))


def own_cases(office: TrackingInProcess, citizen: UUID) -> list[UUID]:
    who = Actor(kind=ActorKind.CITIZEN, id=str(citizen))
    return [item.case_id for item in office.ask("list_own_cases", ListOwnCases(actor=who)).items]


def entries(office: TrackingInProcess, case: SubmissionRegistered) -> list[str]:
    query = "SELECT string_agg(entry, ' ' ORDER BY sequence) FROM timeline WHERE case_id = %(case_id)s"
    return str(office.one(query, case_id=case.case_id)).split()


class TestTheList:
    def test_shows_an_operator_what_they_filed_themselves_newest_first(self, office: TrackingInProcess) -> None:
        operator, other = actor(Role.OPERATOR), actor(Role.OPERATOR)
        first, second = filed(office, operator, ("filing", "sms")), filed(office, operator)
        filed(office, other)
        office.open()
        assert listed(office, operator) == [second.case_id, first.case_id]
        page = office.ask("list_desk_cases", ListDeskCases(actor=operator, limit=1))
        assert [item.case_id for item in page.items] == [second.case_id]
        assert listed(office, operator, after=page.next, limit=1) == [first.case_id]
        [item] = office.ask("list_desk_cases", ListDeskCases(actor=operator, case_ids=[first.case_id])).items
        assert (item.to_sms, item.confirmed, item.consent, item.channel) == (True, False, "spoken", "counter")
        assert first.text not in item.model_dump_json()

    def test_is_searched_by_number_day_and_kind(self, office: TrackingInProcess) -> None:
        operator = actor(Role.OPERATOR)
        old = filed(office, operator, filed_at=now() - timedelta(days=40))
        report = filed(office, operator, kind=Kind.INFORMATION, ground="waste")
        number = office.one("SELECT number FROM cases WHERE case_id = %(case_id)s", case_id=report.case_id)
        today = jalali.today(now())
        assert listed(office, operator, number=number) == [report.case_id]
        assert report.case_id in listed(office, operator, number=number.partition("-")[2])
        assert listed(office, operator, kind="information") == [report.case_id]
        assert listed(office, operator, filed_until=today - timedelta(days=30)) == [old.case_id]
        assert listed(office, operator, filed_from=today - timedelta(days=2)) == [report.case_id]
        for wrong in ({"filed_from": today, "filed_until": today - timedelta(days=1)}, {"number": "ب"}):
            with pytest.raises(InvalidField):
                listed(office, operator, **wrong)

    def test_hides_what_is_about_the_operators_own_unit(self, office: TrackingInProcess) -> None:
        insider = actor(Role.OPERATOR, unit="dep.urb.permits.desk")
        about_them, about_others = filed(office, insider), filed(office, insider, unit="dep.civ")
        assert listed(office, insider) == [about_others.case_id]
        for act in ("receipt", "mobile", "lost_code"):
            with pytest.raises(UnknownCase):
                office.ask("authorize_desk", AuthorizeDesk(actor=insider, act=act, case_id=about_them.case_id))

    @pytest.mark.parametrize("role", [Role.SCREENER, Role.INSPECTOR, Role.HEAD, Role.LIAISON, Role.ANALYST])
    def test_is_for_operators(self, office: TrackingInProcess, role: Role) -> None:
        with pytest.raises(NotAllowed):
            listed(office, actor(role))


class TestWhatTheyMayDo:
    def may(
        self, office: TrackingInProcess, who: Actor, act: str, case: SubmissionRegistered
    ) -> type[Exception] | None:
        try:
            office.ask("authorize_desk", AuthorizeDesk(actor=who, act=act, case_id=case.case_id))
        except (UnknownCase, NotAllowed, CorrectionTooLate) as error:
            return type(error)
        return None

    def test_the_operator_corrects_for_three_working_days_and_a_head_afterwards(
        self, office: TrackingInProcess
    ) -> None:
        new, old = filed(office, OPERATOR), filed(office, OPERATOR, filed_at=now() - timedelta(days=9))
        assert self.may(office, OPERATOR, "mobile", new) is None
        assert self.may(office, OPERATOR, "mobile", old) is CorrectionTooLate
        assert self.may(office, OPERATOR, "receipt", old) is None
        assert self.may(office, office.head, "mobile", old) is None

    def test_another_operators_filing_is_unknown_but_for_a_lost_code(self, office: TrackingInProcess) -> None:
        case, other = filed(office, OPERATOR), actor(Role.OPERATOR)
        assert self.may(office, other, "mobile", case) is UnknownCase
        assert self.may(office, other, "receipt", case) is UnknownCase
        assert self.may(office, other, "lost_code", case) is None
        assert self.may(office, office.inspector, "lost_code", case) is NotAllowed

    def test_what_a_citizen_filed_has_no_mobile_of_the_counter(self, office: TrackingInProcess) -> None:
        case = office.open()
        assert self.may(office, office.head, "mobile", case) is UnknownCase
        number = office.one("SELECT number FROM cases WHERE case_id = %(case_id)s", case_id=case.case_id)
        grant = office.ask("authorize_desk", AuthorizeDesk(actor=OPERATOR, act="lost_code", number=number))
        assert grant.case_id == case.case_id


class TestAReplacedCode:
    def test_the_old_code_stops_and_the_timeline_says_who_did_it(self, office: TrackingInProcess) -> None:
        case, new = filed(office, OPERATOR), code_hash()
        office.handle("recode", recoded(case, new, 1))
        assert (case_of(office, case.code_hash), case_of(office, new)) == (None, case.case_id)
        assert entries(office, case) == ["opened", "mobile_corrected"]
        who = office.one(
            "SELECT actor_id FROM timeline WHERE entry = 'mobile_corrected' AND case_id = %(id)s", id=case.case_id
        )
        assert who == OPERATOR.id
        assert "mobile_corrected" not in {
            line.entry for line in office.ask("view_by_code", ViewByCode(code_hashes=[new])).timeline
        }

    @pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 0, 1, 0), (0, 0, 1)])
    def test_the_later_of_two_holds_in_whatever_order_they_come(
        self, office: TrackingInProcess, order: tuple[int, ...]
    ) -> None:
        case = filed(office, OPERATOR)
        first, second = recoded(case, code_hash(), 1), recoded(case, code_hash(), 2, "lost")
        for place in order:
            office.handle("recode", (first, second)[place])
        assert case_of(office, second.code_hash) == case.case_id
        assert case_of(office, first.code_hash) is None

    def test_it_waits_for_its_case(self, office: TrackingInProcess) -> None:
        case = office.open()
        event = recoded(case, code_hash(), 1).model_copy(update={"case_id": uuid.uuid4()})
        with pytest.raises(TryLater):
            office.handle("recode", event)


class TestAConfirmedCase:
    def test_is_among_the_cases_of_its_citizen(self, office: TrackingInProcess) -> None:
        case, citizen = filed(office, OPERATOR), uuid.uuid4()
        event = claimed(case, citizen)
        office.handle("recode", event)
        office.handle("recode", event)
        assert own_cases(office, citizen) == [case.case_id]
        assert entries(office, case) == ["opened", "claimed"]

    def test_a_later_correction_takes_it_away_in_whatever_order_it_comes(self, office: TrackingInProcess) -> None:
        for turned in (False, True):
            case, wrong, right = filed(office, OPERATOR), uuid.uuid4(), uuid.uuid4()
            events: list[Any] = [claimed(case, wrong), recoded(case, code_hash(), 1)]
            for event in reversed(events) if turned else events:
                office.handle("recode", event)
            assert own_cases(office, wrong) == []
            office.handle("recode", claimed(case, right, attempt=1))
            assert own_cases(office, right) == [case.case_id]

    def test_a_replaced_code_leaves_it_with_its_citizen_in_whatever_order_it_comes(
        self, office: TrackingInProcess
    ) -> None:
        """Confirmed wrongly, corrected, confirmed again; the code is lost then."""
        for turned in (False, True):
            case, wrong, right, new = filed(office, OPERATOR), uuid.uuid4(), uuid.uuid4(), code_hash()
            events: list[Any] = [
                claimed(case, wrong),
                recoded(case, code_hash(), 1, holder=CodeHolder()),
                claimed(case, right, attempt=1),
                recoded(case, new, 2, "lost", holder=CodeHolder(citizen_id=right)),
            ]
            for event in reversed(events) if turned else events:
                office.handle("recode", event)
            assert own_cases(office, wrong) == []
            assert own_cases(office, right) == [case.case_id]
            assert case_of(office, new) == case.case_id

    def test_it_waits_for_the_correction_before_it(self, office: TrackingInProcess) -> None:
        case = filed(office, OPERATOR)
        with pytest.raises(TryLater):
            office.handle("recode", claimed(case, uuid.uuid4(), attempt=1))
