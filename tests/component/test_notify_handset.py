"""What a handset texts to the notify's number, and what the notify answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from contracts import tracking_codes
from contracts.gateway import PushKind
from contracts.vocabulary import Language
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.notify import EXPECTED_FA, NIGHT, NotifyEnvironment, NotifyFixture, Person, notify_environment, push

HELP = "برای آگاهی از وضعیت پرونده، کد رهگیری ۱۶ رقمی خود را به همین شماره بفرستید.\nبازرسی شهرداری قزوین"
THANKS = "از پاسخ شما سپاسگزاریم. نظر شما در بهبود خدمات به کار می‌آید.\nبازرسی شهرداری قزوین"


@pytest.fixture(scope="module")
def environment(broker: RabbitMQ, postgres: PostgreSQL) -> Iterator[NotifyEnvironment]:
    with notify_environment(broker.url, postgres.url, "notify_handset") as opened:
        yield opened


@pytest.fixture
def notify(environment: NotifyEnvironment) -> NotifyFixture:
    return environment.fixture()


@pytest.fixture
def person(notify: NotifyFixture) -> Person:
    """Whose case is open, and who has the first SMS."""
    somebody = Person(notify.keys)
    notify.publish(somebody.registered(), somebody.opened())
    notify.send()
    return somebody


def answers(notify: NotifyFixture, person: Person) -> list[str]:
    """What this phone got but for the first SMS."""
    return notify.sms_of(person)[1:]


def replies(notify: NotifyFixture) -> list[tuple[str, str]]:
    return [(body["case_id"], body["reply"]) for name, body in notify.outbox() if name == "citizen.replied.v1"]


@pytest.mark.parametrize("group", [" ", "-", "", "\u200c", "\n"])
@pytest.mark.parametrize("zero", ["0", "۰", "٠"])
def test_a_code_in_any_writing_is_answered_with_stage_and_date(
    notify: NotifyFixture, person: Person, group: str, zero: str
) -> None:
    written = group.join(person.code[at : at + 4] for at in range(0, 16, 4))
    notify.push(person.texts(written.translate({ord("0") + d: chr(ord(zero) + d) for d in range(10)})))
    assert answers(notify, person) == [f"مرحله: ثبت شد\nنتیجه تا {EXPECTED_FA}\nبازرسی شهرداری قزوین"]


@pytest.mark.parametrize(
    "message",
    [
        "پیگیر\nکد رهگیری شکایت شما:\n{}\nتلفن ۰۲۸۳۳۲۲۱۱۰۰",
        "{} شماره من 0912 345 6789 است",
        "ثبت در ۱۴۰۵/۰۹/۰۲ ساعت ۱۴:۰۵، کد: {}",
    ],
)
@pytest.mark.parametrize("group", ["-", "/", " / ", "_"])
def test_a_code_is_found_in_a_whole_message(notify: NotifyFixture, person: Person, message: str, group: str) -> None:
    notify.push(person.texts(message.format(group.join(person.code[at : at + 4] for at in range(0, 16, 4)))))
    assert answers(notify, person) == [f"مرحله: ثبت شد\nنتیجه تا {EXPECTED_FA}\nبازرسی شهرداری قزوین"]


def test_a_code_is_answered_to_whoever_holds_it_in_the_language_of_the_case(notify: NotifyFixture) -> None:
    owner, holder = Person(notify.keys, Language.EN), Person(notify.keys)
    notify.publish(owner.registered(), owner.opened(), owner.asked())
    holder.code = owner.code
    notify.push(holder.texts(owner.code))
    assert notify.sms_of(holder) == ["Stage: Waiting for your answer\nQazvin Municipality Inspection"]


def test_an_anonymous_report_is_followed_by_sms_without_telling_who_asks(notify: NotifyFixture) -> None:
    anonymous, phone = Person(notify.keys, mobile=None), Person(notify.keys)
    notify.publish(anonymous.registered(), anonymous.opened())
    notify.push(phone.texts(anonymous.code))
    assert notify.sms_of(phone) == [f"مرحله: ثبت شد\nنتیجه تا {EXPECTED_FA}\nبازرسی شهرداری قزوین"]
    assert notify.rows.of_case(anonymous.case_id)[0]["mobile_hash"] is None


def test_a_code_under_an_older_key_is_still_known(notify: NotifyFixture, person: Person) -> None:
    newer = notify.settings.model_copy(
        update={
            "code_index_keys": [
                type(notify.settings.mobile_index_key)(b"n" * 32),
                *notify.settings.code_index_keys,
            ],
            "code_mac_keys": [
                type(notify.settings.mobile_index_key)(b"m" * 32),
                *notify.settings.code_mac_keys,
            ],
        }
    )
    notify.app = notify.another_app(settings=newer)
    notify.push(person.texts(person.code))
    assert answers(notify, person)[0].startswith("مرحله: ثبت شد")


def test_a_text_that_the_provider_pushes_twice_is_one(notify: NotifyFixture, person: Person) -> None:
    text = person.texts(person.code, provider_message_id="77")
    notify.push(text, text, person.texts(person.code, provider_message_id="77"))
    assert len(answers(notify, person)) == 1


def test_an_answer_does_not_wait_for_the_morning(notify: NotifyFixture, person: Person) -> None:
    notify.clock = NIGHT
    notify.push(person.texts(person.code))
    assert len(answers(notify, person)) == 1


def test_help_and_a_wrong_code_are_answered_once_an_hour_together(notify: NotifyFixture, person: Person) -> None:
    wrong = str((int(person.code) + 1) % 10**16).zfill(16)
    assert tracking_codes.parse(wrong, notify.keys.mac) is None
    notify.push(person.texts("سلام"), person.texts("سلام؟"), person.texts(wrong))
    assert answers(notify, person) == [HELP]
    notify.later(minutes=59)
    notify.push(person.texts("الو"))
    assert answers(notify, person) == [HELP]
    notify.later(minutes=1)
    notify.push(person.texts(wrong))
    assert answers(notify, person)[1].startswith("این کد رهگیری درست نیست.")
    other = Person(notify.keys)
    notify.push(other.texts("سلام"))
    assert notify.sms_of(other) == [HELP]


def test_two_machines_do_not_answer_each_other_for_ever(notify: NotifyFixture, person: Person) -> None:
    for _ in range(30):
        notify.push(person.texts(person.code))
    assert len(answers(notify, person)) == 20
    notify.later(hours=1)
    notify.push(person.texts(person.code))
    assert len(answers(notify, person)) == 21


def test_one_answers_the_last_question_and_is_thanked(notify: NotifyFixture, person: Person) -> None:
    notify.publish(person.decided())
    notify.send()
    notify.push(person.texts("۱"))
    assert replies(notify) == [(str(person.case_id), "satisfied")]
    assert answers(notify, person)[1:] == [THANKS]


def test_two_objects_and_tracking_will_say_so(notify: NotifyFixture, person: Person) -> None:
    notify.publish(person.decided(until=notify.clock.date()))
    notify.send()
    notify.push(person.texts("2"))
    assert replies(notify) == [(str(person.case_id), "object")]
    assert len(answers(notify, person)) == 1


def test_an_objection_after_its_day_is_not_passed_on(notify: NotifyFixture, person: Person) -> None:
    notify.publish(person.decided(until=notify.clock.date()))
    notify.send()
    notify.later(days=1)
    notify.push(person.texts("2"))
    assert replies(notify) == []
    assert answers(notify, person)[1] == "مهلت اعتراض به این نتیجه پایان یافته است.\nبازرسی شهرداری قزوین"


def test_the_same_answer_counts_once_and_a_changed_mind_counts(notify: NotifyFixture, person: Person) -> None:
    notify.publish(person.decided())
    notify.send()
    notify.push(person.texts("1"), person.texts("۱"), person.texts("2"))
    assert [reply for _, reply in replies(notify)] == ["satisfied", "object"]
    assert answers(notify, person).count(THANKS) == 1


def test_of_two_cases_of_one_phone_the_last_question_is_answered(notify: NotifyFixture, person: Person) -> None:
    second = Person(notify.keys, mobile=person.mobile)
    notify.publish(second.registered(), second.opened(), person.decided())
    notify.send()
    notify.later(minutes=1)
    notify.publish(second.decided())
    notify.send()
    notify.push(person.texts("1"))
    assert replies(notify) == [(str(second.case_id), "satisfied")]


@pytest.mark.parametrize("text", ["1", "2"])
def test_a_number_without_a_question_gets_help(notify: NotifyFixture, person: Person, text: str) -> None:
    notify.push(person.texts(text))
    assert replies(notify) == []
    assert answers(notify, person) == [HELP]


def test_a_question_that_never_went_out_is_not_answered(notify: NotifyFixture, person: Person) -> None:
    notify.simulator.fault("busy", count=0)
    notify.publish(person.decided())
    notify.send()
    notify.simulator.reset()
    notify.push(person.texts("1"))
    assert replies(notify) == []


def test_a_foreign_or_unreadable_sender_is_not_answered(notify: NotifyFixture) -> None:
    for sender in ("+4915112345678", "BANK"):
        notify.push(push(notify.keys, PushKind.INBOUND, {"from": sender, "message": "1"}, uuid4(), NIGHT))
    assert notify.simulator.messages(accepted=True) == []


def test_no_code_and_no_mobile_lies_in_the_database(notify: NotifyFixture, person: Person) -> None:
    notify.publish(person.asked(), person.decided())
    notify.send()
    notify.push(person.texts(person.code), person.texts("1"), person.texts("سلام"))
    notify.later(minutes=1)
    notify.poll()
    stored = notify.rows.everything()
    for secret in (person.code, person.shown_code, person.phone, person.phone[3:]):
        assert secret not in stored
    assert "1405-" in stored  # what is stored was looked at


def test_help_is_given_in_the_language_this_phone_last_filed_in(notify: NotifyFixture) -> None:
    english = Person(notify.keys, Language.EN)
    notify.publish(english.registered(), english.opened())
    notify.later(seconds=timedelta(minutes=1).seconds)
    notify.push(english.texts("hello"))
    assert notify.sms_of(english)[-1].startswith("To learn the state of your case")
