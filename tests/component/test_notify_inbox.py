"""The in-app inbox: who sees what, in which order, and what they have read."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from contracts import tracking
from contracts.accounts import SignInFailuresNoted, StaffChanged
from contracts.base import now
from contracts.errors import InvalidField, NotAllowed
from contracts.gateway import Actor
from contracts.intake import Catalogue, CatalogueChanged, Unit
from contracts.leaves import LeaveChanged
from contracts.notify import ListMessages, MarkRead, MessagePage
from contracts.vocabulary import ActorKind, Language, Role, Stage
from tests.support.events import account_changed
from tests.support.notify import EXPECTED, EXPECTED_FA, NotifyEnvironment, NotifyFixture, Person

TREE = {"city": None, "works": "city", "roads": "works", "asphalt": "roads", "parks": "city"}


@pytest.fixture
def notify(notify_environment: NotifyEnvironment) -> NotifyFixture:
    opened = notify_environment.fixture()
    opened.publish(catalogue(1, TREE))
    return opened


def catalogue(version: int, tree: dict[str, str | None]) -> CatalogueChanged:
    units = [Unit(code=code, parent=up, level="unit", name_fa=code, name_en=code) for code, up in tree.items()]
    return CatalogueChanged(
        id=uuid4(), occurred_at=now(), catalogue=Catalogue(version=version, units=units, grounds=[])
    )


def staff(*roles: Role, unit: str | None = None, staff_id: UUID | None = None) -> Actor:
    return Actor(kind=ActorKind.STAFF, id=str(staff_id or uuid4()), roles=frozenset(roles), unit=unit)


def read(
    notify: NotifyFixture, actor: Actor | None = None, person: Person | None = None, **more: object
) -> MessagePage:
    hashes = [person.code_hash] if person is not None else []
    request = ListMessages.model_validate({"actor": actor, "code_hashes": hashes, **more})
    with notify.database.read() as connection:
        return notify.app.inbox.list_messages(connection, request)


def templates(page: MessagePage) -> list[str]:
    return [item.template for item in page.items]


def test_the_holder_of_a_code_reads_what_happened_newest_first(notify: NotifyFixture) -> None:
    person = Person(notify.keys, mobile=None)
    notify.publish(person.registered(), person.opened(), person.citizen_asked(), person.decided())
    page = read(notify, person=person)
    assert templates(page) == ["decided", "question_asked", "registered"]
    assert page.items[2].text == f"شکایت شما ثبت شد و در نوبت بررسی است. نتیجه تا {EXPECTED_FA} اعلام می‌شود."
    assert all(item.case_id == person.case_id and item.case_number is None and not item.read for item in page.items)
    assert all(person.code[:4] not in item.text for item in page.items)


def test_another_code_reads_nothing(notify: NotifyFixture) -> None:
    person, other = Person(notify.keys), Person(notify.keys)
    notify.publish(person.registered())
    assert read(notify, person=other).items == []


def test_a_signed_in_citizen_reads_of_all_their_cases_in_their_language(notify: NotifyFixture) -> None:
    me = uuid4()
    first, second, foreign = (Person(notify.keys, citizen_id=who) for who in (me, me, uuid4()))
    notify.publish(*(person.registered() for person in (first, second, foreign)))
    actor = Actor(kind=ActorKind.CITIZEN, id=str(me), language=Language.EN)
    page = read(notify, actor)
    assert {item.case_id for item in page.items} == {first.case_id, second.case_id}
    assert page.items[0].text == "Your complaint is registered and waits for its first reading."
    bearer = Actor(kind=ActorKind.BEARER, id=first.code_hash)
    assert [item.case_id for item in read(notify, bearer).items] == [first.case_id]


def test_reading_is_recorded_for_the_citizen_by_code_and_by_account(notify: NotifyFixture) -> None:
    me = uuid4()
    person, foreign = Person(notify.keys, citizen_id=me), Person(notify.keys)
    notify.publish(person.registered(), person.citizen_asked(), foreign.registered())
    (theirs,) = read(notify, person=foreign).items
    ids = [item.id for item in read(notify, person=person).items]
    with notify.database.transaction() as connection:
        wanted = MarkRead(code_hashes=[person.code_hash], ids=[ids[0], theirs.id, uuid4()])
        marked = notify.app.inbox.mark_read(connection, wanted)
        again = notify.app.inbox.mark_read(connection, wanted)
    assert [(item.id, item.read) for item in marked.items] == [(ids[0], True)]
    assert again == marked
    citizen = Actor(kind=ActorKind.CITIZEN, id=str(me))
    assert [item.read for item in read(notify, citizen).items] == [True, False]
    assert [item.read for item in read(notify, person=foreign).items] == [False]


def test_pages_have_no_gap_and_no_repetition(notify: NotifyFixture) -> None:
    person = Person(notify.keys, mobile=None)
    notify.publish(person.registered(), person.opened(), *(person.citizen_asked() for _ in range(6)))
    whole = [item.id for item in read(notify, person=person).items]
    walked: list[UUID] = []
    after: str | None = None
    while True:
        page = read(notify, person=person, limit=2, after=after)
        walked += [item.id for item in page.items]
        after = page.next
        if after is None:
            break
    assert walked == whole
    assert len(whole) == 7
    for wrong in ("x", "bm90IGEgY3Vyc29y", "MjAyNi0wMS0wMXxh"):
        with pytest.raises(InvalidField):
            read(notify, person=person, after=wrong)


def test_nobody_reads_without_a_name_or_a_code(notify: NotifyFixture) -> None:
    with pytest.raises(NotAllowed):
        read(notify)
    with pytest.raises(NotAllowed):
        read(notify, Actor(kind=ActorKind.SYSTEM, id="system"))


def assigned(person: Person, inspector: UUID) -> tracking.CaseAssigned:
    event: tracking.CaseAssigned = person.event(
        tracking.CaseAssigned, Stage.INVESTIGATING, snapshot={"handler": inspector}
    )
    return event


def test_an_inspector_reads_only_about_their_own_cases(notify: NotifyFixture) -> None:
    mine, others = uuid4(), uuid4()
    person = Person(notify.keys, unit="roads")
    notify.publish(person.opened(), assigned(person, mine))
    (item,) = read(notify, staff(Role.INSPECTOR, staff_id=mine)).items
    assert (item.case_id, item.case_number) == (person.case_id, person.number)
    assert read(notify, staff(Role.INSPECTOR, staff_id=others)).items == []
    citizen = Actor(kind=ActorKind.CITIZEN, id=str(mine))
    assert read(notify, citizen).items == []


@pytest.mark.parametrize(
    ("complained_about", "unit", "sees"),
    [
        ("roads", "roads", False),
        ("roads", "asphalt", False),
        ("roads", "works", True),
        ("roads", "parks", True),
        ("works", "asphalt", False),
        ("roads", None, True),
    ],
)
def test_staff_of_the_unit_complained_about_or_below_it_read_nothing_of_the_case(
    notify: NotifyFixture, complained_about: str, unit: str | None, sees: bool
) -> None:
    person, me = Person(notify.keys, unit=complained_about), uuid4()
    notify.publish(person.opened(), assigned(person, me))
    notify.publish(person.event(tracking.CaseObjected, Stage.REVIEW))
    assert bool(read(notify, staff(Role.INSPECTOR, staff_id=me, unit=unit)).items) is sees
    assert bool(read(notify, staff(Role.HEAD, unit=unit)).items) is sees


def test_a_case_moved_to_ones_own_unit_disappears(notify: NotifyFixture) -> None:
    person, me = Person(notify.keys, unit="parks"), uuid4()
    notify.publish(person.opened(), assigned(person, me))
    actor = staff(Role.INSPECTOR, staff_id=me, unit="asphalt")
    assert read(notify, actor).items
    person.unit = "roads"
    notify.publish(person.event(tracking.CaseCorrected, Stage.INVESTIGATING))
    assert read(notify, actor).items == []


@pytest.mark.parametrize(
    ("unit", "role", "sees"),
    [
        ("roads", Role.LIAISON, True),
        ("works", Role.LIAISON, True),
        ("asphalt", Role.LIAISON, False),
        ("parks", Role.LIAISON, False),
        ("roads", Role.SCREENER, False),
        (None, Role.LIAISON, False),
    ],
)
def test_a_question_reaches_the_liaison_of_its_unit_without_the_case(
    notify: NotifyFixture, unit: str | None, role: Role, sees: bool
) -> None:
    person = Person(notify.keys, unit="roads")
    notify.publish(
        person.opened(),
        person.event(
            tracking.UnitAsked,
            Stage.AWAITING_UNIT,
            question_id=uuid4(),
            unit_asked="roads",
            due_on=EXPECTED,
        ),
    )
    items = read(notify, staff(role, unit=unit)).items
    assert bool(items) is sees
    for item in items:
        assert item.case_id is None
        assert item.case_number is None
        assert person.number not in item.model_dump_json()
        assert str(person.case_id) not in item.model_dump_json()


def test_each_reader_of_a_shared_message_reads_it_for_themselves(notify: NotifyFixture) -> None:
    person = Person(notify.keys)
    notify.publish(person.opened(), person.event(tracking.CaseObjected, Stage.REVIEW))
    first, second = staff(Role.HEAD), staff(Role.HEAD)
    (item,) = read(notify, first).items
    with notify.database.transaction() as connection:
        notify.app.inbox.mark_read(connection, MarkRead(actor=first, ids=[item.id]))
    assert [read(notify, actor).items[0].read for actor in (first, second)] == [True, False]


def test_the_last_event_of_accounts_outweighs_an_older_token(notify: NotifyFixture) -> None:
    person, me = Person(notify.keys), uuid4()
    notify.publish(person.opened(), person.event(tracking.CaseObjected, Stage.REVIEW))

    def changed(version: int, roles: list[Role], active: bool = True) -> StaffChanged:
        return account_changed(staff_id=me, version=version, roles=roles, active=active)

    actor = staff(Role.HEAD, staff_id=me)
    assert read(notify, actor).items
    notify.publish(changed(2, [Role.SCREENER]), changed(1, [Role.HEAD]))
    assert read(notify, actor).items == []
    notify.publish(changed(3, [Role.HEAD], active=False))
    with pytest.raises(NotAllowed):
        read(notify, actor)


def test_an_older_catalogue_changes_nothing(notify: NotifyFixture) -> None:
    notify.publish(catalogue(5, {"city": None, "roads": "city"}), catalogue(4, {**TREE, "roads": "parks"}))
    person, me = Person(notify.keys, unit="parks"), uuid4()
    notify.publish(person.opened(), assigned(person, me))
    assert read(notify, staff(Role.INSPECTOR, staff_id=me, unit="roads")).items


def test_unordered_and_repeated_events_cause_the_same_messages_once(notify: NotifyFixture) -> None:
    """All orders of a case's first events end in the same messages, whatever is repeated."""
    for order in permutations(range(4)):
        person = Person(notify.keys)
        events = [person.registered(), person.opened(), person.citizen_asked(), person.decided()]
        for at in order:
            notify.publish(events[at], events[at])
        notify.publish(*events)
        notify.send()
        notify.later(seconds=70)
        notify.send()
        texts = notify.sms_of(person)
        starts = sorted(text.split("\n")[0].split(":")[0] for text in texts)
        assert len(texts) == len(set(texts))
        # Once decided, a question that arrives late is superseded.
        late = order.index(2) > order.index(3)
        assert starts[0] == "شکایت شما ثبت شد. کد رهگیری"
        assert len(texts) <= 3
        assert any(text.startswith("نتیجه رسیدگی") for text in texts)
        assert not (late and any(text.startswith("برای ادامه") for text in texts))
        assert templates(read(notify, person=person)).count("decided") == 1
        row = notify.rows.sms(person.case_id, "registered")
        assert row["params"]["date"] == EXPECTED.isoformat()


def test_a_new_code_is_sent_once_in_either_order(notify: NotifyFixture) -> None:
    for _ in range(2):
        person = Person(notify.keys)
        registered = person.registered()
        recoded = person.recoded()
        notify.publish(registered.model_copy(update={"code_hash": recoded.code_hash}), recoded, recoded)
        notify.publish(person.opened())
        notify.send()
        assert [person.shown_code in text for text in notify.sms_of(person)] == [True]
        assert notify.sms_of(person)[0].startswith("شکایت شما با کد رهگیری تازه ثبت شد")
        assert next(item.template for item in read(notify, person=person).items) == "registered_new_code"


def test_a_substitute_has_the_messages_of_screeners_and_heads_about_the_inspection_alone(
    notify: NotifyFixture,
) -> None:
    notify.settings = notify.settings.model_copy(update={"inspection_unit": "roads", "mayor_unit": "works"})
    notify.app = notify.another_app()
    about, other = Person(notify.keys, mobile=None), Person(notify.keys, mobile=None)
    for person, unit in ((about, "works"), (other, "parks")):
        notify.publish(person.registered(), person.opened())
        notify.publish(person.event(tracking.CaseObjected, Stage.REVIEW, snapshot={"unit": unit}))
    outside, inside = staff(Role.SUBSTITUTE, unit="parks"), staff(Role.SUBSTITUTE, unit="asphalt")
    [message] = read(notify, outside).items
    assert (message.template, message.case_id) == ("objection_raised", about.case_id)
    assert read(notify, inside).items == []
    assert len(read(notify, staff(Role.HEAD, unit="asphalt")).items) == 1


def test_a_deputy_has_the_messages_of_the_absent_ones_cases_until_the_leave_ends(notify: NotifyFixture) -> None:
    away, deputy, insider = (staff(Role.INSPECTOR, unit=unit) for unit in ("parks", "parks", "asphalt"))
    person = Person(notify.keys, mobile=None)
    notify.publish(person.registered(), person.opened())
    handled = {"handler": UUID(away.id), "unit": "roads"}
    notify.publish(person.event(tracking.CaseAssigned, Stage.INVESTIGATING, snapshot=handled))
    own = UUID(away.id)
    notify.publish(
        person.event(tracking.NoteAdded, Stage.INVESTIGATING, snapshot=handled, mentions=[own]),
        person.event(
            tracking.ColleaguesChanged, Stage.INVESTIGATING, snapshot=handled, what="co_handler_added", colleague=own
        ),
        person.event(tracking.CaseWithdrawn, Stage.WITHDRAWN, snapshot={"unit": "roads"}, workers=[own]),
    )
    failures = SignInFailuresNoted(id=uuid4(), occurred_at=now(), staff_id=UUID(away.id), failures=9)
    with notify.database.transaction() as connection:
        notify.app.notifications.sign_in_failures_noted(connection, failures)

    def leave(who: Actor, version: int, hours: int) -> LeaveChanged:
        period = {"starts_at": now() - timedelta(hours=2), "ends_at": now() + timedelta(hours=hours)}
        people = {"staff_id": UUID(away.id), "deputy": UUID(who.id)}
        return LeaveChanged(id=uuid4(), occurred_at=now(), leave_id=UUID(who.id), version=version, **people, **period)

    of_the_case = ["withdrawn_for_staff", "co_handler_added", "mentioned", "assigned"]
    assert templates(read(notify, away)) == ["sign_in_failures", *of_the_case]
    assert templates(read(notify, deputy)) == []
    for who in (deputy, insider):
        notify.publish(leave(who, 1, 1))
    assert templates(read(notify, deputy)) == of_the_case  # nothing about the account
    assert templates(read(notify, insider)) == []  # a conflict of interest of their own
    notify.publish(leave(deputy, 2, -1))
    assert templates(read(notify, deputy)) == []
