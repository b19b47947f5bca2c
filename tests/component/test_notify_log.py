"""The office's log of messages: who reads what, by which filters, and what sending one again does."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts import tracking
from contracts.errors import NotAllowed, NotFound, NotResendable
from contracts.gateway import Actor
from contracts.notification_log import (
    MOST_RESENDS,
    ListNotifications,
    LogChannel,
    LoggedNotification,
    ResendNotification,
)
from contracts.notify import MessageChannel, MessageState, PreviewNotificationText
from contracts.vocabulary import ActorKind, Language, Role, Stage
from tests.support.notify import NotifyFixture, Person, one_time_code

UNDELIVERED = 11


def officer(*roles: Role, unit: str | None = None) -> Actor:
    return Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset(roles), unit=unit)


HEAD, ADMINISTRATOR = officer(Role.HEAD), officer(Role.ADMINISTRATOR)


def logged(notify: NotifyFixture, actor: Actor = HEAD, **filters: Any) -> list[LoggedNotification]:
    with notify.database.read() as connection:
        return notify.app.log.list_notifications(connection, ListNotifications(actor=actor, **filters)).items


def resend(notify: NotifyFixture, message: UUID, actor: Actor = HEAD, key: str | None = None) -> LoggedNotification:
    request = ResendNotification(actor=actor, idempotency_key=key or uuid4().hex, notification_id=message)
    with notify.database.transaction() as connection:
        return notify.app.log.resend(connection, request)


def undelivered(notify: NotifyFixture) -> tuple[Person, LoggedNotification]:
    """Somebody whose result did not reach their phone."""
    person = Person(notify.keys)
    notify.publish(person.registered(), person.opened())
    notify.send()
    notify.publish(person.decided())
    notify.send()
    assert notify.receipt(notify.rows.sms(person.case_id, "decided")["provider_message_id"], UNDELIVERED)
    [message] = logged(notify, state=MessageState.UNDELIVERED)
    return person, message


def test_a_head_reads_what_became_of_a_message_and_nothing_of_who_it_went_to(notify: NotifyFixture) -> None:
    person, message = undelivered(notify)
    assert (message.channel, message.template, message.audience, message.reason) == (
        "sms",
        "decided",
        "citizen",
        "undelivered",
    )
    assert (message.case_id, message.case_number, message.resendable) == (person.case_id, person.number, True)
    everything = str([item.model_dump_json() for item in logged(notify)])
    for secret in (person.phone, person.phone[-4:], person.code, person.code_hash):
        assert secret not in everything


def test_an_administrator_is_not_told_of_which_case_a_message_is(notify: NotifyFixture) -> None:
    person, message = undelivered(notify)
    seen = logged(notify, ADMINISTRATOR)
    assert message.notification_id in {item.notification_id for item in seen}
    assert {(item.case_id, item.case_number) for item in seen} == {(None, None)}
    for filters in ({"case_id": person.case_id}, {"number": person.number}):
        with pytest.raises(NotAllowed):
            logged(notify, ADMINISTRATOR, **filters)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.HEAD, Role.ADMINISTRATOR}))
def test_no_other_role_reads_it(notify: NotifyFixture, role: Role) -> None:
    with pytest.raises(NotAllowed):
        logged(notify, officer(role))
    with pytest.raises(NotAllowed):
        resend(notify, uuid4(), officer(role))


def test_of_a_unit_in_which_the_reader_has_a_conflict_of_interest_nothing_is_told(notify: NotifyFixture) -> None:
    _, message = undelivered(notify)  # about roads
    with notify.database.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO units (code, parent, version) VALUES ('roads', NULL, 1)")
    conflicted = officer(Role.HEAD, unit="roads")
    assert logged(notify, conflicted) == []
    with pytest.raises(NotFound):
        resend(notify, message.notification_id, conflicted)


def test_it_is_found_by_channel_state_kind_day_and_case(notify: NotifyFixture) -> None:
    person, message = undelivered(notify)
    other = Person(notify.keys)
    notify.later(days=1)
    notify.publish(other.registered(), other.opened())
    notify.send()
    ids = [item.notification_id for item in logged(notify)]
    assert len(ids) == len(set(ids)) == 6
    assert {item.channel for item in logged(notify, channel=LogChannel.INBOX)} == {"inbox"}
    assert {item.template for item in logged(notify, template="decided")} == {"decided"}
    assert {item.case_id for item in logged(notify, number=other.number)} == {other.case_id}
    assert {item.case_id for item in logged(notify, case_id=person.case_id)} == {person.case_id}
    assert logged(notify, number="1405-999999") == []
    second = date(2026, 11, 24)
    assert {item.case_id for item in logged(notify, since=second)} == {other.case_id}
    assert {item.case_id for item in logged(notify, until=second - timedelta(days=1))} == {person.case_id}
    page = [item.notification_id for item in logged(notify, limit=4)]
    with notify.database.read() as connection:
        first = notify.app.log.list_notifications(connection, ListNotifications(actor=HEAD, limit=4))
        rest = notify.app.log.list_notifications(connection, ListNotifications(actor=HEAD, limit=4, after=first.next))
    assert [*page, *(item.notification_id for item in rest.items)] == ids
    assert rest.next is None
    assert message.notification_id in ids


def test_a_message_that_failed_is_sent_once_more_as_a_new_one_to_the_provider(notify: NotifyFixture) -> None:
    person, message = undelivered(notify)
    sent = len(notify.sms_of(person))
    again = resend(notify, message.notification_id, key="the same key")
    assert (again.state, again.resends, again.resendable) == ("due", 1, False)
    assert resend(notify, message.notification_id, key="the same key").resends == 1
    with pytest.raises(NotResendable):
        resend(notify, message.notification_id)
    notify.send()
    assert len(notify.sms_of(person)) == sent + 1, "the provider took it for no repetition"
    assert logged(notify, template="decided", channel=LogChannel.SMS)[0].state == "sent"


def test_it_is_sent_again_so_often_and_no_oftener(notify: NotifyFixture) -> None:
    _, message = undelivered(notify)
    for _ in range(MOST_RESENDS):
        resend(notify, message.notification_id)
        notify.send()
        row = notify.rows.of_case(message.case_id or uuid4())[-1]
        assert notify.receipt(row["provider_message_id"], UNDELIVERED)
    assert logged(notify, state=MessageState.UNDELIVERED)[0].resendable is False
    with pytest.raises(NotResendable):
        resend(notify, message.notification_id)


def test_what_is_true_no_more_is_not_sent_though_it_is_asked_for(notify: NotifyFixture) -> None:
    person, message = undelivered(notify)
    notify.publish(person.event(tracking.CaseReopened, Stage.SCREENING, mistake="decided"))
    resend(notify, message.notification_id)
    notify.send()
    assert logged(notify, template="decided", channel=LogChannel.SMS)[0].reason == "superseded"


def test_a_one_time_code_cannot_be_sent_again(notify: NotifyFixture) -> None:
    expires = notify.clock + timedelta(minutes=2)
    notify.publish(one_time_code(notify.keys, "+989121112233", "123456", Language.FA, expires))
    notify.send()
    [row] = notify.rows.of_event("otp.requested.v1")
    assert notify.receipt(row["provider_message_id"], UNDELIVERED)
    [message] = logged(notify, ADMINISTRATOR)
    assert (message.audience, message.case_id, message.resendable) == ("handset", None, False)
    with pytest.raises(NotResendable):
        resend(notify, message.notification_id, ADMINISTRATOR)


def preview(notify: NotifyFixture, name: str = "decided", channel: str = "sms", **more: Any) -> Any:
    request = PreviewNotificationText(actor=ADMINISTRATOR, channel=MessageChannel(channel), name=name, **more)
    with notify.database.read() as connection:
        return notify.app.texts.preview(connection, request)


def test_a_text_is_previewed_with_its_parts(notify: NotifyFixture) -> None:
    shown = preview(notify, "withdrawn", text_fa="{kind} شما\n{code}", text_en="Your {kind}\n{code}")
    assert shown.fa.text == "شکایت شما\n4821-0937-5518-2604"
    assert (shown.fa.encoding, shown.fa.parts, shown.fa.characters) == ("ucs2", 1, 29)
    assert (shown.en.text, shown.en.encoding) == ("Your complaint\n4821-0937-5518-2604", "gsm")
    assert shown.values_en == {"code": "4821-0937-5518-2604", "kind": "complaint"}
    own = preview(notify, "withdrawn", values={"kind": "انتقاد"})
    assert "انتقاد" in own.fa.text
    long = preview(notify, "withdrawn", text_fa="الف" * 60 + "\n{code}", text_en="x\n{code}")
    assert (long.fa.parts, long.most_parts) == (3, 2), "shown though it could not be stored"


def test_every_text_can_be_previewed(notify: NotifyFixture) -> None:
    from services.notify.wording.templates import shipped_templates  # here: as the registry has them

    for channel, name, _ in shipped_templates().texts:
        shown = preview(notify, name, channel)
        assert "{" not in shown.fa.text + shown.en.text
        assert (shown.fa.parts is not None) is (channel == "sms")
