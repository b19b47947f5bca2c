"""The sender on a real database and over real HTTP, under a clock that the test holds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from contracts.vocabulary import Language
from deploy.local.parts import PostgreSQL, RabbitMQ
from services.notify.delivery.use_cases import Sender
from services.notify.notifications import store
from services.notify.providers.kavenegar import Accepted, Kavenegar, Retry
from tests.support.notify import API_KEY, MORNING, NIGHT, NOON, TOLD_FA, Desk, Office, Person, desks, one_time_code
from tests.support.processes import eventually


@pytest.fixture(scope="module")
def desk(broker: RabbitMQ, postgres: PostgreSQL) -> Iterator[Desk]:
    with desks(broker.url, postgres.url, "notify_sending") as opened:
        yield opened


@pytest.fixture
def office(desk: Desk) -> Office:
    return desk.office()


@pytest.fixture
def person(office: Office) -> Person:
    return Person(office.keys)


def test_the_first_sms_waits_a_moment_for_the_expected_date(office: Office, person: Person) -> None:
    office.tell(person.registered())
    office.send()
    assert office.told(person) == []

    office.tell(person.opened())
    office.send()

    assert office.told(person) == [
        f"شکایت شما ثبت شد. کد رهگیری:\n{person.shown_code}\nنتیجه تا {TOLD_FA}\nبازرسی شهرداری قزوین"
    ]


def test_without_news_of_the_case_the_code_goes_out_alone(office: Office, person: Person) -> None:
    office.tell(person.registered())
    office.later(seconds=61)
    office.send()
    assert office.told(person) == [
        f"شکایت شما ثبت شد. کد رهگیری:\n{person.shown_code}\nلطفاً این کد را نگه دارید.\nبازرسی شهرداری قزوین"
    ]


def test_at_night_news_waits_till_morning_and_an_answer_to_what_one_does_does_not(
    office: Office, person: Person
) -> None:
    office.clock = NIGHT
    office.tell(person.registered(), person.opened(), person.decided())
    office.send()
    assert [row["template"] for row in office.rows.of_case(person.case_id) if row["sent_at"]] == ["registered"]

    office.clock = MORNING - timedelta(seconds=1)
    office.send()
    assert len(office.told(person)) == 1
    office.clock = MORNING
    office.send()
    assert office.told(person)[1].startswith("نتیجه رسیدگی به شکایت شما: وارد\n")
    assert office.rows.sms(person.case_id, "decided")["attempts"] == 1


def test_a_one_time_code_does_not_wait_and_does_not_outlive_itself(office: Office, person: Person) -> None:
    office.clock = NIGHT
    until = office.clock + timedelta(minutes=5)
    office.tell(one_time_code(office.keys, person.phone, "424242", Language.EN, until))
    office.send()
    assert office.told(person) == [
        "Your Peygir sign-in code: 424242\nIt is valid for 5 minutes. Please tell it to no one."
    ]
    assert office.simulator.messages(accepted=True)[0]["template"] == "peygir-otp-en"

    office.tell(one_time_code(office.keys, person.phone, "171717", Language.FA, until))
    office.clock = until
    office.send()
    assert len(office.told(person)) == 1
    row = office.rows.of_event("otp.requested.v1")[-1]
    assert (row["state"], row["reason"], row["sealed"]) == ("skipped", "expired", None)


def test_a_one_time_code_goes_before_all_notices_of_a_busy_hour(office: Office, person: Person) -> None:
    office.tell(*(Person(office.keys).registered() for _ in range(20)))
    office.later(seconds=61)
    until = office.clock + timedelta(minutes=5)
    office.tell(one_time_code(office.keys, person.phone, "424242", Language.FA, until))
    assert office.sender.send_due(office.database, limit=8) == 8
    assert len(office.told(person)) == 1, "who signs in waits behind what others filed"


def test_a_text_that_is_not_approved_yet_is_sent_as_it_is(office: Office, person: Person) -> None:
    office.simulator.fault("fail", status=424, methods=["verify/lookup"])
    until = office.clock + timedelta(minutes=5)
    office.tell(one_time_code(office.keys, person.phone, "424242", Language.FA, until))
    office.send()
    assert office.told(person) == ["کد ورود به پیگیر: 424242\nتا ۵ دقیقه معتبر است؛ لطفاً به کسی نگویید."]


def test_what_is_no_longer_true_is_not_sent(office: Office, person: Person) -> None:
    office.clock = NIGHT
    office.tell(person.registered(), person.opened(), person.asked())
    office.send()
    office.tell(person.withdrawn())
    office.clock = MORNING
    office.send()
    assert [row["state"] for row in office.rows.of_case(person.case_id) if row["template"] == "question_asked"] == [
        "skipped"
    ]
    assert office.rows.sms(person.case_id, "question_asked")["reason"] == "superseded"


def test_a_message_about_a_case_nobody_registered_yet_waits_for_its_contact(office: Office, person: Person) -> None:
    registered = person.registered()
    office.tell(person.opened(), person.asked())
    office.send()
    office.tell(registered)
    office.later(seconds=10)
    office.send()
    assert sorted(row["template"] for row in office.rows.of_case(person.case_id) if row["sent_at"]) == [
        "question_asked",
        "registered",
    ]


def test_who_has_no_mobile_is_skipped_and_so_is_who_opted_out(office: Office, person: Person) -> None:
    nobody = Person(office.keys, mobile=None)
    office.tell(nobody.registered(), nobody.opened(), nobody.asked())
    office.tell(person.registered(), person.opened())
    office.send()
    office.hear(person.texts("لغو ۱۱"))
    office.tell(person.asked())
    office.send()

    assert {row["reason"] for row in office.rows.of_case(nobody.case_id)} == {"no_mobile"}
    assert office.rows.sms(person.case_id, "question_asked")["reason"] == "opted_out"
    office.hear(person.texts("start"))
    office.tell(person.decided())
    office.send()
    assert office.rows.sms(person.case_id, "decided")["state"] == "sent"


def test_a_busy_provider_is_asked_again_with_growing_pauses(office: Office, person: Person) -> None:
    office.tell(person.registered(), person.opened())
    office.simulator.fault("busy", count=2)
    office.send()
    assert office.rows.sms(person.case_id, "registered")["reason"] == "busy"
    office.later(seconds=4)
    office.send()
    assert office.told(person) == []
    office.later(seconds=1)
    office.send()
    office.later(seconds=15)
    office.send()
    assert len(office.told(person)) == 1
    row = office.rows.sms(person.case_id, "registered")
    assert (row["state"], row["reason"], row["attempts"]) == ("sent", None, 3)


def test_a_provider_that_was_away_costs_a_message_no_more_than_its_absence(office: Office, person: Person) -> None:
    class Away(Kavenegar):
        reached = False

        def send(self, text: str, receptor: str, localid: str) -> Accepted:
            if not self.reached:
                raise Retry("not_reached")
            return super().send(text, receptor, localid)

    provider, other = Away(base_url=office.simulator.url, api_key=API_KEY), Person(office.keys)
    office.tell(person.registered(), person.opened())
    sender = Sender(office.settings, [provider], office.now)
    assert sender.send_due(office.database) == 1
    office.tell(other.registered(), other.opened())
    assert sender.send_due(office.database) == 0, "while nobody can be reached, nothing is taken up"
    for _ in range(8):
        office.later(seconds=16)
        office.send(Sender(office.settings, [provider], office.now))  # to which nobody rests any more
    row = office.rows.sms(person.case_id, "registered")
    assert (row["state"], row["reason"], row["attempts"]) == ("due", "not_reached", 0)

    provider.reached = True
    office.later(seconds=16)
    office.send(Sender(office.settings, [provider], office.now))
    assert len(office.told(person)) == len(office.told(other)) == 1


def test_a_message_of_a_provider_that_rests_waits_for_that_one_alone(office: Office, person: Person) -> None:
    office.simulator.fault("timeout", seconds=2)
    office.tell(person.registered(), person.opened())
    both = office.another_sender(with_reserve=True)
    office.send(both)  # who knows whether the first has taken it
    office.later(seconds=5)
    office.simulator.fault("credit")
    other = Person(office.keys)
    office.tell(other.registered(), other.opened())
    for _ in range(6):
        office.send(both)
        office.later(seconds=20)
    assert len(office.told(other, office.reserve)) == 1
    assert office.told(person, office.reserve) == []
    assert office.rows.sms(person.case_id, "registered")["attempts"] <= 2


def test_a_withheld_answer_is_asked_for_again_and_nothing_is_sent_twice(office: Office, person: Person) -> None:
    office.simulator.fault("timeout", seconds=2)
    office.tell(person.registered(), person.opened())
    both = office.another_sender(with_reserve=True)
    office.send(both)
    office.later(seconds=5)
    office.send(both)
    assert len(office.told(person)) == 1
    assert office.told(person, office.reserve) == []
    assert office.rows.sms(person.case_id, "registered")["sent_at"] is not None


def test_a_provider_out_of_credit_rests_and_the_next_one_sends(office: Office, person: Person) -> None:
    office.simulator.fault("credit")
    other = Person(office.keys)
    both = office.another_sender(with_reserve=True)
    office.tell(person.registered(), person.opened())
    office.send(both)
    office.tell(other.registered(), other.opened())
    office.send(both)
    assert office.told(person) == office.told(other) == []
    assert len(office.told(person, office.reserve)) == len(office.told(other, office.reserve)) == 1
    assert office.rows.sms(person.case_id, "registered")["provider"] == "kavenegar-reserve"


def test_a_refusal_that_no_try_will_change_ends_it(office: Office, person: Person) -> None:
    office.simulator.fault("fail", status=411)
    office.tell(person.registered(), person.opened())
    office.send()
    row = office.rows.sms(person.case_id, "registered")
    assert (row["state"], row["reason"]) == ("failed", "bad_mobile")


def test_a_provider_that_stays_away_is_given_up_after_three_days(office: Office, person: Person) -> None:
    office.simulator.fault("busy", count=0)
    office.tell(person.registered(), person.opened())
    tries = 0
    while office.rows.sms(person.case_id, "registered")["state"] == "due":
        office.send()
        office.later(hours=1)
        tries += 1
    row = office.rows.sms(person.case_id, "registered")
    assert (row["state"], row["reason"]) == ("failed", "busy")
    assert 72 <= tries <= 75


def test_a_killed_senders_message_is_taken_over_when_its_lease_ends_and_sent_once(
    office: Office, person: Person
) -> None:
    class Killed(BaseException):
        pass

    class DiesAfterSending(Kavenegar):
        def send(self, text: str, receptor: str, localid: str) -> Accepted:
            super().send(text, receptor, localid)
            raise Killed

    office.tell(person.registered(), person.opened())
    dying = Sender(office.settings, [DiesAfterSending(base_url=office.simulator.url, api_key=API_KEY)], office.now)
    with pytest.raises(Killed):
        dying.send_due(office.database)
    assert office.rows.sms(person.case_id, "registered")["state"] == "sending"
    office.send()
    assert office.rows.sms(person.case_id, "registered")["state"] == "sending"

    office.later(seconds=office.settings.notify_lease)
    office.send()

    assert office.rows.sms(person.case_id, "registered")["sent_at"] is not None
    assert len(office.told(person)) == 1


def test_who_lost_the_lease_settles_nothing(office: Office, person: Person) -> None:
    class Slow(Kavenegar):
        def send(self, text: str, receptor: str, localid: str) -> Accepted:
            answer = super().send(text, receptor, localid)
            office.later(seconds=office.settings.notify_lease)
            office.send()
            return Accepted("somebody-elses", answer.status)

    office.tell(person.registered(), person.opened())
    slow = Sender(office.settings, [Slow(base_url=office.simulator.url, api_key=API_KEY)], office.now)
    slow.send_due(office.database)
    assert office.rows.sms(person.case_id, "registered")["provider_message_id"] != "somebody-elses"
    assert len(office.told(person)) == 1


def test_many_senders_share_the_work_and_send_each_message_once(office: Office) -> None:
    people = [Person(office.keys) for _ in range(40)]
    for one in people:
        office.tell(one.registered(), one.opened())
    taken: list[int] = []

    def work(sender: Sender) -> None:
        while count := sender.send_due(office.database, limit=3):
            taken.append(count)

    threads = [threading.Thread(target=work, args=(office.another_sender(timeout=10),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(taken) == 40
    assert [len(office.told(one)) for one in people] == [1] * 40


def test_the_callback_follows_a_message_to_its_handset_and_the_first_final_word_stands(
    office: Office, person: Person
) -> None:
    office.tell(person.registered(), person.opened())
    office.send()
    message_id = office.rows.sms(person.case_id, "registered")["provider_message_id"]
    assert office.report(message_id, 4)
    assert office.rows.sms(person.case_id, "registered")["state"] == "sent"
    assert office.report(message_id, 10)
    assert office.report(message_id, 11)
    row = office.rows.sms(person.case_id, "registered")
    assert (row["state"], row["next_look_at"]) == ("delivered", None)
    assert not office.report("12345", 10), "a fresh report of what is not known yet is to come again"


def test_without_a_callback_the_provider_is_asked(office: Office, person: Person) -> None:
    office.tell(person.registered(), person.opened())
    office.send()
    assert office.simulator.messages(person.phone, wait=5)
    assert office.sender.look_after_sent(office.database) == 0, "the callback has a minute"
    office.later(minutes=1)
    assert office.sender.look_after_sent(office.database) == 1
    assert office.rows.sms(person.case_id, "registered")["state"] == "delivered"


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [(11, "undelivered", "undelivered"), (14, "undelivered", "blocked"), (6, "failed", "failed")],
)
def test_a_lost_message_is_known_as_lost(office: Office, person: Person, status: int, state: str, reason: str) -> None:
    office.simulator.fault("lose", status=status)
    office.tell(person.registered(), person.opened())
    office.send()
    message_id = int(office.rows.sms(person.case_id, "registered")["provider_message_id"])

    def settled() -> bool:
        (one,) = office.simulator.messages(person.phone, accepted=True)
        return bool(one["messageid"] == message_id and one["status"] == status)

    eventually(settled)
    office.later(minutes=1)
    office.sender.look_after_sent(office.database)
    row = office.rows.sms(person.case_id, "registered")
    assert (row["state"], row["reason"]) == (state, reason)
    with office.database.read() as connection:
        assert bool(store.is_opted_out(connection, [row["mobile_hash"]])) is (status == 14)


def test_a_message_nobody_tells_of_is_looked_after_for_two_days(office: Office, person: Person) -> None:
    office.simulator.fault("lose", status=4)
    office.tell(person.registered(), person.opened())
    office.send()
    looks = 0
    while office.rows.sms(person.case_id, "registered")["next_look_at"] is not None:
        office.later(minutes=20)
        looks += office.sender.look_after_sent(office.database)
        assert office.clock < NOON + timedelta(hours=49)
    assert office.rows.sms(person.case_id, "registered")["state"] == "sent"
    assert 10 < looks < 25


def test_what_ends_is_told_to_the_other_services(office: Office, person: Person) -> None:
    nobody = Person(office.keys, mobile=None)
    office.tell(person.registered(), person.opened(), nobody.registered(), nobody.opened())
    office.send()
    office.report(office.rows.sms(person.case_id, "registered")["provider_message_id"], 10)
    with office.database.read() as connection:
        events = connection.execute(text("select name, convert_from(body, 'utf8') from outbox order by seq"))
        told = [(name, '"channel":"sms"' in body) for name, body in events]
    delivered = "notification.delivered.v1"
    # Nobody is told that an anonymous reporter, whom nobody could tell, was not told.
    assert told == [(delivered, False), (delivered, False), (delivered, True)]


def test_a_box_sealed_to_another_key_fails_alone(office: Office, person: Person) -> None:
    broken = Person(office.keys)
    registered = broken.registered().model_copy(update={"sealed_contact": "bm90IGEgYm94"})
    office.tell(registered, broken.opened(), person.registered(), person.opened())
    office.send()
    assert office.rows.sms(broken.case_id, "registered")["reason"] == "sealed_to_another_key"
    assert len(office.told(person)) == 1
