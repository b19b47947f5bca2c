"""The sender on a real database and over real HTTP, under a clock that the test sets."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from contracts.vocabulary import Language
from services.notify.delivery import store
from services.notify.delivery.use_cases import MessageSender
from services.notify.providers.kavenegar import Kavenegar
from services.notify.providers.protocol import Accepted, Retry
from tests.support.notify import API_KEY, EXPECTED_FA, MORNING, NIGHT, NOON, NotifyFixture, Person, one_time_code
from tests.support.processes import eventually


def test_the_first_sms_waits_briefly_for_the_expected_date(notify: NotifyFixture, person: Person) -> None:
    notify.publish(person.registered())
    notify.send()
    assert notify.sms_of(person) == []

    notify.publish(person.opened())
    notify.send()

    assert notify.sms_of(person) == [
        f"شکایت شما ثبت شد. کد رهگیری:\n{person.shown_code}\nنتیجه تا {EXPECTED_FA}\nبازرسی شهرداری قزوین"
    ]


def test_without_an_opened_case_the_code_is_sent_alone(notify: NotifyFixture, person: Person) -> None:
    notify.publish(person.registered())
    notify.later(seconds=61)
    notify.send()
    assert notify.sms_of(person) == [
        f"شکایت شما ثبت شد. کد رهگیری:\n{person.shown_code}\nلطفاً این کد را نگه دارید.\nبازرسی شهرداری قزوین"
    ]


def test_at_night_notifications_wait_until_morning_and_replies_do_not(notify: NotifyFixture, person: Person) -> None:
    notify.clock = NIGHT
    notify.publish(person.registered(), person.opened(), person.decided())
    notify.send()
    assert [row["template"] for row in notify.rows.of_case(person.case_id) if row["sent_at"]] == ["registered"]

    notify.clock = MORNING - timedelta(seconds=1)
    notify.send()
    assert len(notify.sms_of(person)) == 1
    notify.clock = MORNING
    notify.send()
    assert notify.sms_of(person)[1].startswith("نتیجه رسیدگی به شکایت شما: وارد\n")
    assert notify.rows.sms(person.case_id, "decided")["attempts"] == 1


def test_a_one_time_code_is_sent_at_once_and_never_after_its_expiry(notify: NotifyFixture, person: Person) -> None:
    notify.clock = NIGHT
    until = notify.clock + timedelta(minutes=5)
    notify.publish(one_time_code(notify.keys, person.phone, "424242", Language.EN, until))
    notify.send()
    assert notify.sms_of(person) == [
        "Your Peygir sign-in code: 424242\nIt is valid for 5 minutes. Please tell it to no one."
    ]
    assert notify.simulator.messages(accepted=True)[0]["template"] == "peygir-otp-en"

    notify.publish(one_time_code(notify.keys, person.phone, "171717", Language.FA, until))
    notify.clock = until
    notify.send()
    assert len(notify.sms_of(person)) == 1
    row = notify.rows.of_event("otp.requested.v1")[-1]
    assert (row["state"], row["reason"], row["sealed"]) == ("skipped", "expired", None)


def test_a_one_time_code_is_sent_before_all_notifications_of_a_busy_hour(notify: NotifyFixture, person: Person) -> None:
    notify.publish(*(Person(notify.keys).registered() for _ in range(20)))
    notify.later(seconds=61)
    until = notify.clock + timedelta(minutes=5)
    notify.publish(one_time_code(notify.keys, person.phone, "424242", Language.FA, until))
    assert notify.app.sender.send_due(notify.database, limit=8) == 8
    assert len(notify.sms_of(person)) == 1, "who signs in waits behind what others filed"


def test_a_text_that_is_not_approved_yet_is_sent_as_it_is(notify: NotifyFixture, person: Person) -> None:
    notify.simulator.fault("fail", status=424, methods=["verify/lookup"])
    until = notify.clock + timedelta(minutes=5)
    notify.publish(one_time_code(notify.keys, person.phone, "424242", Language.FA, until))
    notify.send()
    assert notify.sms_of(person) == ["کد ورود به پیگیر: 424242\nتا ۵ دقیقه معتبر است؛ لطفاً به کسی نگویید."]


def test_a_message_that_is_no_longer_true_is_not_sent(notify: NotifyFixture, person: Person) -> None:
    notify.clock = NIGHT
    notify.publish(person.registered(), person.opened(), person.citizen_asked())
    notify.send()
    notify.publish(person.withdrawn())
    notify.clock = MORNING
    notify.send()
    assert [row["state"] for row in notify.rows.of_case(person.case_id) if row["template"] == "question_asked"] == [
        "skipped"
    ]
    assert notify.rows.sms(person.case_id, "question_asked")["reason"] == "superseded"


def test_a_message_about_a_case_nobody_registered_yet_waits_for_its_contact(
    notify: NotifyFixture, person: Person
) -> None:
    registered = person.registered()
    notify.publish(person.opened(), person.citizen_asked())
    notify.send()
    notify.publish(registered)
    notify.later(seconds=10)
    notify.send()
    assert sorted(row["template"] for row in notify.rows.of_case(person.case_id) if row["sent_at"]) == [
        "question_asked",
        "registered",
    ]


def test_recipients_without_a_mobile_or_consent_are_skipped(notify: NotifyFixture, person: Person) -> None:
    nobody = Person(notify.keys, mobile=None)
    notify.publish(nobody.registered(), nobody.opened(), nobody.citizen_asked())
    notify.publish(person.registered(), person.opened())
    notify.send()
    notify.push(person.texts("لغو ۱۱"))
    notify.publish(person.citizen_asked())
    notify.send()

    assert {row["reason"] for row in notify.rows.of_case(nobody.case_id)} == {"no_mobile"}
    assert notify.rows.sms(person.case_id, "question_asked")["reason"] == "opted_out"
    notify.push(person.texts("start"))
    notify.publish(person.decided())
    notify.send()
    assert notify.rows.sms(person.case_id, "decided")["state"] == "sent"


def test_a_busy_provider_is_retried_with_growing_pauses(notify: NotifyFixture, person: Person) -> None:
    notify.publish(person.registered(), person.opened())
    notify.simulator.fault("busy", count=2)
    notify.send()
    assert notify.rows.sms(person.case_id, "registered")["reason"] == "busy"
    notify.later(seconds=4)
    notify.send()
    assert notify.sms_of(person) == []
    notify.later(seconds=1)
    notify.send()
    notify.later(seconds=15)
    notify.send()
    assert len(notify.sms_of(person)) == 1
    row = notify.rows.sms(person.case_id, "registered")
    assert (row["state"], row["reason"], row["attempts"]) == ("sent", None, 3)


def test_an_outage_of_a_provider_delays_a_message_no_longer_than_itself(notify: NotifyFixture, person: Person) -> None:
    class Away(Kavenegar):
        reached = False

        def send(self, text: str, recipient: str, client_reference: str) -> Accepted:
            if not self.reached:
                raise Retry("not_reached")
            return super().send(text, recipient, client_reference)

    provider, other = Away(base_url=notify.simulator.url, api_key=API_KEY), Person(notify.keys)
    notify.publish(person.registered(), person.opened())
    sender = notify.another_sender([provider])
    assert sender.send_due(notify.database) == 1
    notify.publish(other.registered(), other.opened())
    assert sender.send_due(notify.database) == 0, "while nobody can be reached, nothing is taken up"
    for _ in range(8):
        notify.later(seconds=16)
        notify.send(notify.another_sender([provider]))  # whose circuits are closed
    row = notify.rows.sms(person.case_id, "registered")
    assert (row["state"], row["reason"], row["attempts"]) == ("due", "not_reached", 0)

    provider.reached = True
    notify.later(seconds=16)
    notify.send(notify.another_sender([provider]))
    assert len(notify.sms_of(person)) == len(notify.sms_of(other)) == 1


def test_a_message_of_a_paused_provider_waits_for_that_provider_only(notify: NotifyFixture, person: Person) -> None:
    notify.simulator.fault("timeout", seconds=2)
    notify.publish(person.registered(), person.opened())
    both = notify.another_sender(with_reserve=True)
    notify.send(both)  # who knows whether the first has taken it
    notify.later(seconds=5)
    notify.simulator.fault("credit")
    other = Person(notify.keys)
    notify.publish(other.registered(), other.opened())
    for _ in range(6):
        notify.send(both)
        notify.later(seconds=20)
    assert len(notify.sms_of(other, notify.reserve)) == 1
    assert notify.sms_of(person, notify.reserve) == []
    assert notify.rows.sms(person.case_id, "registered")["attempts"] <= 2


def test_a_missing_answer_is_queried_again_and_nothing_is_sent_twice(notify: NotifyFixture, person: Person) -> None:
    notify.simulator.fault("timeout", seconds=2)
    notify.publish(person.registered(), person.opened())
    both = notify.another_sender(with_reserve=True)
    notify.send(both)
    notify.later(seconds=5)
    notify.send(both)
    assert len(notify.sms_of(person)) == 1
    assert notify.sms_of(person, notify.reserve) == []
    assert notify.rows.sms(person.case_id, "registered")["sent_at"] is not None


def test_a_provider_without_credit_is_paused_and_the_next_one_sends(notify: NotifyFixture, person: Person) -> None:
    notify.simulator.fault("credit")
    other = Person(notify.keys)
    both = notify.another_sender(with_reserve=True)
    notify.publish(person.registered(), person.opened())
    notify.send(both)
    notify.publish(other.registered(), other.opened())
    notify.send(both)
    assert notify.sms_of(person) == notify.sms_of(other) == []
    assert len(notify.sms_of(person, notify.reserve)) == len(notify.sms_of(other, notify.reserve)) == 1
    assert notify.rows.sms(person.case_id, "registered")["provider"] == "kavenegar-reserve"


def test_a_permanent_refusal_ends_the_message(notify: NotifyFixture, person: Person) -> None:
    notify.simulator.fault("fail", status=411)
    notify.publish(person.registered(), person.opened())
    notify.send()
    row = notify.rows.sms(person.case_id, "registered")
    assert (row["state"], row["reason"]) == ("failed", "bad_mobile")


def test_a_message_is_abandoned_after_three_days_of_outage(notify: NotifyFixture, person: Person) -> None:
    notify.simulator.fault("busy", count=0)
    notify.publish(person.registered(), person.opened())
    tries = 0
    while notify.rows.sms(person.case_id, "registered")["state"] == "due":
        notify.send()
        notify.later(hours=1)
        tries += 1
    row = notify.rows.sms(person.case_id, "registered")
    assert (row["state"], row["reason"]) == ("failed", "busy")
    assert 72 <= tries <= 75


def test_a_killed_senders_message_is_taken_over_when_its_lease_ends_and_sent_once(
    notify: NotifyFixture, person: Person
) -> None:
    class Killed(BaseException):
        pass

    class DiesAfterSending(Kavenegar):
        def send(self, text: str, recipient: str, client_reference: str) -> Accepted:
            super().send(text, recipient, client_reference)
            raise Killed

    notify.publish(person.registered(), person.opened())
    dying = notify.another_sender([DiesAfterSending(base_url=notify.simulator.url, api_key=API_KEY)])
    with pytest.raises(Killed):
        dying.send_due(notify.database)
    assert notify.rows.sms(person.case_id, "registered")["state"] == "sending"
    notify.send()
    assert notify.rows.sms(person.case_id, "registered")["state"] == "sending"

    notify.later(seconds=notify.settings.notify_lease)
    notify.send()

    assert notify.rows.sms(person.case_id, "registered")["sent_at"] is not None
    assert len(notify.sms_of(person)) == 1


def test_a_sender_that_lost_its_lease_settles_nothing(notify: NotifyFixture, person: Person) -> None:
    class Slow(Kavenegar):
        def send(self, text: str, recipient: str, client_reference: str) -> Accepted:
            answer = super().send(text, recipient, client_reference)
            notify.later(seconds=notify.settings.notify_lease)
            notify.send()
            return Accepted("somebody-elses", answer.status)

    notify.publish(person.registered(), person.opened())
    slow = notify.another_sender([Slow(base_url=notify.simulator.url, api_key=API_KEY)])
    slow.send_due(notify.database)
    assert notify.rows.sms(person.case_id, "registered")["provider_message_id"] != "somebody-elses"
    assert len(notify.sms_of(person)) == 1


def test_many_senders_share_the_work_and_send_each_message_once(notify: NotifyFixture) -> None:
    people = [Person(notify.keys) for _ in range(40)]
    for person in people:
        notify.publish(person.registered(), person.opened())
    taken: list[int] = []

    def work(sender: MessageSender) -> None:
        while count := sender.send_due(notify.database, limit=3):
            taken.append(count)

    threads = [threading.Thread(target=work, args=(notify.another_sender(timeout=10),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(taken) == 40
    assert [len(notify.sms_of(person)) for person in people] == [1] * 40


def test_delivery_receipts_update_a_message_and_the_first_final_status_is_kept(
    notify: NotifyFixture, person: Person
) -> None:
    notify.publish(person.registered(), person.opened())
    notify.send()
    message_id = notify.rows.sms(person.case_id, "registered")["provider_message_id"]
    assert notify.receipt(message_id, 4)
    assert notify.rows.sms(person.case_id, "registered")["state"] == "sent"
    assert notify.receipt(message_id, 10)
    assert notify.receipt(message_id, 11)
    row = notify.rows.sms(person.case_id, "registered")
    assert (row["state"], row["next_status_poll_at"]) == ("delivered", None)
    assert not notify.receipt("12345", 10), "a fresh receipt of an unknown message is tried again"


def test_without_a_delivery_receipt_the_provider_is_queried(notify: NotifyFixture, person: Person) -> None:
    notify.publish(person.registered(), person.opened())
    notify.send()
    assert notify.simulator.messages(person.phone, wait=5)
    assert notify.poll() == 0, "the callback has a minute"
    notify.later(minutes=1)
    assert notify.poll() == 1
    assert notify.rows.sms(person.case_id, "registered")["state"] == "delivered"


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [(11, "undelivered", "undelivered"), (14, "undelivered", "blocked"), (6, "failed", "failed")],
)
def test_a_lost_message_is_recorded_as_lost(
    notify: NotifyFixture, person: Person, status: int, state: str, reason: str
) -> None:
    notify.simulator.fault("lose", status=status)
    notify.publish(person.registered(), person.opened())
    notify.send()
    message_id = int(notify.rows.sms(person.case_id, "registered")["provider_message_id"])

    def settled() -> bool:
        (message,) = notify.simulator.messages(person.phone, accepted=True)
        return bool(message["messageid"] == message_id and message["status"] == status)

    eventually(settled)
    notify.later(minutes=1)
    notify.poll()
    row = notify.rows.sms(person.case_id, "registered")
    assert (row["state"], row["reason"]) == (state, reason)
    with notify.database.read() as connection:
        assert bool(store.opted_out(connection, [row["mobile_hash"]])) is (status == 14)


def test_a_message_without_a_receipt_is_queried_for_two_days(notify: NotifyFixture, person: Person) -> None:
    notify.simulator.fault("lose", status=4)
    notify.publish(person.registered(), person.opened())
    notify.send()
    looks = 0
    while notify.rows.sms(person.case_id, "registered")["next_status_poll_at"] is not None:
        notify.later(minutes=20)
        looks += notify.poll()
        assert notify.clock < NOON + timedelta(hours=49)
    assert notify.rows.sms(person.case_id, "registered")["state"] == "sent"
    assert 10 < looks < 25


def test_a_finished_message_is_published_to_the_other_services(notify: NotifyFixture, person: Person) -> None:
    nobody = Person(notify.keys, mobile=None)
    notify.publish(person.registered(), person.opened(), nobody.registered(), nobody.opened())
    notify.send()
    notify.receipt(notify.rows.sms(person.case_id, "registered")["provider_message_id"], 10)
    with notify.database.read() as connection:
        events = connection.execute(text("select name, convert_from(body, 'utf8') from outbox order by seq"))
        outcomes = [(name, '"channel":"sms"' in body) for name, body in events]
    delivered = "notification.delivered.v1"
    # That an anonymous reporter, who has no mobile, could not be reached is not published.
    assert outcomes == [(delivered, False), (delivered, False), (delivered, True)]


def test_a_contact_sealed_to_another_key_fails_alone(notify: NotifyFixture, person: Person) -> None:
    broken = Person(notify.keys)
    registered = broken.registered().model_copy(update={"sealed_contact": "bm90IGEgYm94"})
    notify.publish(registered, broken.opened(), person.registered(), person.opened())
    notify.send()
    assert notify.rows.sms(broken.case_id, "registered")["reason"] == "sealed_to_another_key"
    assert len(notify.sms_of(person)) == 1
