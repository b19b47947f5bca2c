"""A mobile that was mistyped, a code that was replaced, and a filing that is not whose mobile it names: what notify does."""

from __future__ import annotations

from itertools import permutations
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest

from backbone import sealing
from backbone.messaging.consumers import TryLater
from contracts import tracking_codes
from contracts.base import now
from contracts.desk import SubmissionClaimed, SubmissionDisowned
from contracts.gateway import Actor
from contracts.intake import CodeHolder, SubmissionRecoded
from contracts.notify import ListMessages
from contracts.vocabulary import ActorKind, Role
from tests.support.notify import MORNING, NIGHT, NotifyFixture, Person


def corrected(notify: NotifyFixture, person: Person, mobile: str, attempt: int = 1) -> SubmissionRecoded:
    """From here on the person has this mobile and another code."""
    person.mobile = mobile
    mobile_hash = sealing.keyed_hash(mobile, notify.keys.mobile)
    return recoded(notify, person, attempt, "corrected", CodeHolder(mobile_hash=mobile_hash), mobile_hash=mobile_hash)


def lost(notify: NotifyFixture, person: Person, attempt: int, holder: CodeHolder) -> SubmissionRecoded:
    """From here on the person has another code."""
    return recoded(notify, person, attempt, "lost", holder)


def recoded(
    notify: NotifyFixture,
    person: Person,
    attempt: int,
    reason: Literal["corrected", "lost"],
    holder: CodeHolder,
    mobile_hash: str | None = None,
) -> SubmissionRecoded:
    old = person.code_hash
    person.code = tracking_codes.mint(notify.keys.mac)
    return SubmissionRecoded(
        id=uuid4(),
        occurred_at=now(),
        case_id=person.case_id,
        old_code_hash=old,
        code_hash=person.code_hash,
        sealed_contact=person.sealed() if holder.mobile_hash is not None else None,
        reason=reason,
        attempt=attempt,
        by=uuid4(),
        mobile_hash=mobile_hash,
        holder=holder,
    )


def publish_until_taken(notify: NotifyFixture, *events: Any) -> None:
    """Events in this order; one that waits for another comes again."""
    waiting = list(events)
    while waiting:
        event = waiting.pop(0)
        try:
            notify.publish(event)
        except TryLater:
            waiting.append(event)


def texts_to(notify: NotifyFixture, mobile: str) -> list[str]:
    return [message["text"] for message in notify.simulator.messages(mobile, accepted=True)]


def inbox(notify: NotifyFixture, who: Actor) -> list[str]:
    with notify.database.read() as connection:
        return [item.template for item in notify.app.inbox.list_messages(connection, ListMessages(actor=who)).items]


def citizen(citizen_id: UUID) -> Actor:
    return Actor(kind=ActorKind.CITIZEN, id=str(citizen_id))


def test_nothing_more_goes_to_the_old_number_what_was_queued_included(notify: NotifyFixture, person: Person) -> None:
    notify.publish(person.registered(), person.opened())
    notify.send()
    old, right = person.phone, "+989351111111"
    assert len(texts_to(notify, old)) == 1
    notify.clock = NIGHT
    notify.publish(person.decided())  # waits for the morning
    notify.send()
    notify.publish(corrected(notify, person, right))
    notify.send()
    notify.clock = MORNING
    notify.publish(person.decided(final=True))
    notify.send()

    assert len(texts_to(notify, old)) == 1
    assert [person.shown_code in text for text in texts_to(notify, right)] == [True] * 3
    assert texts_to(notify, right)[0].startswith("شماره همراه شکایت شما اصلاح شد. کد رهگیری تازه:")


def test_the_first_message_that_was_not_sent_yet_is_superseded(notify: NotifyFixture, person: Person) -> None:
    old = person.phone
    notify.publish(person.registered())  # waits for the expected day
    notify.publish(corrected(notify, person, "+989351111112"), person.opened())
    notify.send()
    assert texts_to(notify, old) == []
    assert len(texts_to(notify, "+989351111112")) == 1
    assert notify.rows.sms(person.case_id, "registered")["reason"] == "superseded"


def test_the_old_number_answers_no_decision_and_knows_no_code_any_more(notify: NotifyFixture, person: Person) -> None:
    notify.publish(person.registered(), person.opened(), person.decided())
    notify.send()
    old = Person(notify.keys, mobile=person.phone)
    old.code = person.code
    notify.publish(corrected(notify, person, "+989351111113"))
    notify.send()
    notify.push(old.texts("2"))
    notify.push(old.texts(old.code))
    assert "citizen.replied.v1" not in [name for name, _ in notify.outbox()]
    assert "نتیجه" not in texts_to(notify, old.phone)[-1]


def test_of_two_corrections_the_later_holds_in_whatever_order_and_however_often(notify: NotifyFixture) -> None:
    for place, order in enumerate(permutations((0, 1, 1))):
        person = Person(notify.keys)
        notify.publish(person.registered(), person.opened())
        first_number, second_number = f"+98935222{place:04d}", f"+98935333{place:04d}"
        events = [corrected(notify, person, first_number, 1), corrected(notify, person, second_number, 2)]
        for number in order:
            notify.publish(events[number])
        notify.send()
        notify.publish(person.decided())
        notify.send()
        assert [person.shown_code in text for text in texts_to(notify, second_number)][-1:] == [True]
        assert len(texts_to(notify, first_number)) == 0


def test_a_confirmed_case_is_in_the_inbox_until_its_mobile_is_corrected(notify: NotifyFixture, person: Person) -> None:
    wrong, right = uuid4(), uuid4()
    notify.publish(person.registered(), person.opened())
    claim = SubmissionClaimed(id=uuid4(), occurred_at=now(), case_id=person.case_id, citizen_id=wrong)
    notify.publish(claim)
    assert inbox(notify, citizen(wrong)) == ["registered"]
    notify.publish(corrected(notify, person, "+989351111114"), claim)
    assert inbox(notify, citizen(wrong)) == []
    later = claim.model_copy(update={"id": uuid4(), "citizen_id": right, "attempt": 1})
    notify.publish(later)
    assert "mobile_corrected" in inbox(notify, citizen(right))
    with pytest.raises(TryLater):
        notify.publish(later.model_copy(update={"attempt": 2}))


def test_to_who_disowns_it_nothing_is_sent_and_the_operator_is_told(notify: NotifyFixture, person: Person) -> None:
    operator = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.OPERATOR}))
    notify.publish(person.registered(), person.opened())
    notify.send()
    disowned = SubmissionDisowned(
        id=uuid4(), occurred_at=now(), case_id=person.case_id, filed_by=UUID(operator.id), attempt=0
    )
    notify.publish(disowned, disowned, person.decided())
    notify.send()
    assert len(texts_to(notify, person.phone)) == 1
    assert inbox(notify, operator) == ["filing_disowned"]
    notify.publish(corrected(notify, person, "+989351111115"))
    notify.send()
    assert len(texts_to(notify, "+989351111115")) == 1


def test_whose_a_case_is_does_not_depend_on_the_order_in_which_it_is_said(notify: NotifyFixture) -> None:
    """Filed with a wrong mobile and confirmed by whoever has it; corrected, confirmed again, and the code replaced."""
    for place, order in enumerate(permutations(range(4))):
        person, wrong, right, mobile = Person(notify.keys), uuid4(), uuid4(), f"+98935444{place:04d}"
        old = Person(notify.keys, mobile=person.phone)
        notify.publish(person.registered(), person.opened(), person.decided())
        notify.send()
        claim = SubmissionClaimed(id=uuid4(), occurred_at=now(), case_id=person.case_id, citizen_id=wrong)
        second = claim.model_copy(update={"id": uuid4(), "citizen_id": right, "attempt": 1})
        correction = corrected(notify, person, mobile)
        holder = CodeHolder(mobile_hash=correction.mobile_hash, citizen_id=right)
        events = [claim, correction, second, lost(notify, person, 2, holder)]
        publish_until_taken(notify, *(events[number] for number in order))
        notify.send()

        assert inbox(notify, citizen(wrong)) == [], order
        assert "decided" in inbox(notify, citizen(right)), order
        assert person.shown_code in texts_to(notify, mobile)[-1], order
        replies = len(notify.outbox())
        notify.push(old.texts("2"))
        assert "citizen.replied.v1" not in [name for name, _ in notify.outbox()[replies:]], order


def test_who_disowned_a_case_gets_nothing_whenever_its_code_is_replaced(notify: NotifyFixture) -> None:
    for order in permutations(range(2)):
        operator = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.OPERATOR}))
        person = Person(notify.keys)
        notify.publish(person.registered(), person.opened(), person.decided())
        notify.send()
        sent = len(texts_to(notify, person.phone))
        disowned = SubmissionDisowned(
            id=uuid4(), occurred_at=now(), case_id=person.case_id, filed_by=UUID(operator.id), attempt=0
        )
        events = [disowned, lost(notify, person, 1, CodeHolder())]
        publish_until_taken(notify, *(events[number] for number in order))
        notify.publish(person.decided(final=True))
        notify.send()
        assert len(texts_to(notify, person.phone)) == sent, order
        assert inbox(notify, operator) == ["filing_disowned"], order
        notify.push(person.texts("2"))
        assert "citizen.replied.v1" not in [name for name, _ in notify.outbox()], order


def test_of_a_filing_that_was_corrected_before_it_was_disowned_nobody_is_told(
    notify: NotifyFixture, person: Person
) -> None:
    operator = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.OPERATOR}))
    notify.publish(person.registered(), person.opened())
    disowned = SubmissionDisowned(
        id=uuid4(), occurred_at=now(), case_id=person.case_id, filed_by=UUID(operator.id), attempt=0
    )
    notify.publish(corrected(notify, person, "+989351111116"), disowned, person.decided())
    notify.send()
    assert inbox(notify, operator) == []
    assert "decided" in [row["template"] for row in notify.rows.of_case(person.case_id) if row["state"] == "sent"]
