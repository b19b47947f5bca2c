"""What a handset texts to the notify's number, and what the notify answers."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from backbone import sealing
from contracts import tracking, tracking_codes
from contracts.gateway import PushKind, ReceiveSmsPush, SmsPush
from contracts.notify import Reply
from contracts.vocabulary import Language, Stage
from services.notify.providers.protocol import MalformedPush
from tests.support.notify import EXPECTED_FA, NIGHT, NotifyFixture, Person, push

HELP = "برای آگاهی از وضعیت پرونده، کد رهگیری ۱۶ رقمی خود را به همین شماره بفرستید.\nبازرسی شهرداری قزوین"
OFFICE = "بازرسی شهرداری قزوین"


def thanks(person: Person) -> str:
    said = f"نظر شما درباره کد منتهی به {person.code[-4:]} ثبت شد. سپاسگزاریم؛ نظر شما در بهبود خدمات به کار می‌آید."
    return f"{said}\n{OFFICE}"


def status(person: Person) -> str:
    return f"مرحله: ثبت شد\nنتیجه تا {EXPECTED_FA}\nکد منتهی به {person.code[-4:]}\n{OFFICE}"


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
def test_a_code_in_any_notation_is_answered_with_stage_and_date(
    notify: NotifyFixture, person: Person, group: str, zero: str
) -> None:
    written = group.join(person.code[at : at + 4] for at in range(0, 16, 4))
    notify.push(person.texts(written.translate({ord("0") + d: chr(ord(zero) + d) for d in range(10)})))
    assert answers(notify, person) == [status(person)]


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
    assert answers(notify, person) == [status(person)]


def test_any_holder_of_a_code_is_answered_in_the_language_of_the_case(notify: NotifyFixture) -> None:
    owner, holder = Person(notify.keys, Language.EN), Person(notify.keys)
    notify.publish(owner.registered(), owner.opened(), owner.citizen_asked())
    holder.code = owner.code
    notify.push(holder.texts(owner.code))
    assert notify.sms_of(holder) == [
        f"Stage: Waiting for your answer\nCode ending in {owner.code[-4:]}\nQazvin Municipality Inspection"
    ]


def test_an_anonymous_report_is_followed_by_sms_without_revealing_the_sender(notify: NotifyFixture) -> None:
    anonymous, phone = Person(notify.keys, mobile=None), Person(notify.keys)
    notify.publish(anonymous.registered(), anonymous.opened())
    notify.push(phone.texts(anonymous.code))
    assert notify.sms_of(phone) == [status(anonymous)]
    assert notify.rows.of_case(anonymous.case_id)[0]["mobile_hash"] is None


def test_a_code_under_an_older_key_is_still_recognised(notify: NotifyFixture, person: Person) -> None:
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


def test_a_text_pushed_twice_by_the_provider_counts_once(notify: NotifyFixture, person: Person) -> None:
    text = person.texts(person.code, provider_message_id="77")
    notify.push(text, text, person.texts(person.code, provider_message_id="77"))
    assert len(answers(notify, person)) == 1


def batch(notify: NotifyFixture, *items: object) -> ReceiveSmsPush:
    """One push of several texts."""
    body = json.dumps(list(items)).encode()
    pushed = SmsPush(kind=PushKind.INBOUND, content_type="application/json", body=body)
    return ReceiveSmsPush(
        provider="kavenegar", sealed_push=sealing.seal(pushed, notify.keys.public), received_at=notify.clock
    )


def test_an_unreadable_item_of_a_batch_loses_no_other_and_ends_in_the_dead_letters(
    notify: NotifyFixture, person: Person
) -> None:
    other = Person(notify.keys)
    notify.publish(other.registered(), other.opened())
    empty = {"from": person.phone, "message": "", "messageid": "1"}
    command = batch(
        notify,
        {"from": person.phone, "message": person.code, "messageid": "2"},
        empty,
        {"message": "nobody's"},
        {"from": other.phone, "message": other.code, "messageid": "3"},
    )
    for _ in range(2):  # a replay of the dead letter changes nothing
        with notify.database.transaction() as connection:
            received = notify.app.pushes.receive(connection, command)
        assert isinstance(received.error, MalformedPush)
        notify.send()
    assert len(answers(notify, person)) == 2  # the stage, and help
    assert len(answers(notify, other)) == 1


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


def test_two_automatic_senders_do_not_answer_each_other_forever(notify: NotifyFixture, person: Person) -> None:
    for _ in range(30):
        notify.push(person.texts(person.code))
    assert len(answers(notify, person)) == 20
    notify.later(hours=1)
    notify.push(person.texts(person.code))
    assert len(answers(notify, person)) == 21


# --- answers to decisions ---


def ask(notify: NotifyFixture, *people: Person, until: date | None = None) -> None:
    """Their cases are decided, one after the other, and their phones asked."""
    for person in people:
        notify.publish(person.decided(until=until or notify.clock.date() + timedelta(days=10)))
        notify.send()
        notify.later(minutes=1)


def settle(notify: NotifyFixture, person: Person, **refused: Any) -> None:
    """Tracking says what became of the last answer on this case: it took effect, or was refused with a reason."""
    [reply_id, reply] = [
        (body["id"], body["reply"])
        for name, body in notify.outbox()
        if name == "citizen.replied.v1" and body["case_id"] == str(person.case_id)
    ][-1]
    about: dict[str, Any] = {"snapshot": {"outcome": "upheld", "expected_on": None}, "reply_id": UUID(reply_id)}
    event: Any
    if refused:
        event = person.event(tracking.ReplyRefused, Stage.DECIDED, reply=reply, **about, **refused)
    elif reply == Reply.SATISFIED:
        event = person.event(tracking.CaseRated, Stage.DECIDED, score=5, **about)
    else:
        event = person.event(tracking.CaseObjected, Stage.REVIEW, **about)
    notify.publish(event, event)
    notify.send()


@pytest.fixture
def second(notify: NotifyFixture, person: Person) -> Person:
    """Another case of the same phone."""
    other = Person(notify.keys, mobile=person.mobile)
    notify.publish(other.registered(), other.opened())
    notify.send()
    return other


def test_an_answer_is_thanked_only_once_it_has_taken_effect(notify: NotifyFixture, person: Person) -> None:
    ask(notify, person)
    notify.push(person.texts("۱"))
    assert replies(notify) == [(str(person.case_id), "satisfied")]
    assert len(answers(notify, person)) == 1  # the question
    settle(notify, person)
    assert answers(notify, person)[1:] == [thanks(person)]


def test_a_rating_that_is_lost_is_not_thanked_but_told(notify: NotifyFixture, person: Person) -> None:
    ask(notify, person)
    notify.push(person.texts("1"))
    settle(notify, person, reason="late")
    late = f"مهلت نظر دادن درباره کد منتهی به {person.code[-4:]} پایان یافته است و نظر شما ثبت نشد.\n{OFFICE}"
    assert answers(notify, person)[1:] == [late]
    notify.push(person.texts("1"))  # it may be tried again
    assert len(replies(notify)) == 2


def test_an_objection_is_confirmed_once_with_the_code(notify: NotifyFixture, person: Person) -> None:
    ask(notify, person)
    notify.push(person.texts("2"))
    assert replies(notify) == [(str(person.case_id), "object")]
    settle(notify, person)
    [confirmed] = answers(notify, person)[1:]
    assert person.shown_code in confirmed


def test_an_objection_after_its_deadline_is_not_forwarded(notify: NotifyFixture, person: Person) -> None:
    ask(notify, person, until=notify.clock.date())
    notify.later(days=1)
    notify.push(person.texts("اعتراض دارم"))
    assert replies(notify) == []
    late = f"مهلت اعتراض به نتیجه کد منتهی به {person.code[-4:]} پایان یافته است و اعتراض ثبت نشد."
    assert answers(notify, person)[1] == f"{late}\n{OFFICE}"


def test_a_repeated_answer_counts_once_and_a_changed_answer_counts(notify: NotifyFixture, person: Person) -> None:
    ask(notify, person)
    notify.push(person.texts("1"), person.texts("۱ راضی"))
    assert "پیش‌تر" in answers(notify, person)[-1]
    notify.push(person.texts("راضی نیستم"))
    assert [reply for _, reply in replies(notify)] == ["satisfied", "object"]


@pytest.mark.parametrize("texts", [("1", "2"), ("راضی هستم", "اعتراض دارم")])
def test_with_two_decisions_open_the_office_asks_for_which(
    notify: NotifyFixture, person: Person, second: Person, texts: tuple[str, str]
) -> None:
    ask(notify, person, second)
    for text in texts:
        notify.push(person.texts(text))
    assert replies(notify) == []
    which = "پاسخ شما درباره کدام کد است؟ 1 راضی یا 2 اعتراض را با چهار رقم پایانی کد بفرستید: "
    listed = f"{second.code[-4:]}، {person.code[-4:]}"
    assert answers(notify, person)[-2:] == [f"{which}{listed}\n{OFFICE}"] * 2
    notify.push(person.texts(f"{texts[0]} {person.code[-4:]}"), person.texts(f"{texts[1]} {second.code}"))
    assert replies(notify) == [(str(person.case_id), "satisfied"), (str(second.case_id), "object")]


def test_an_objection_after_a_rating_is_not_sent_to_the_other_case(
    notify: NotifyFixture, person: Person, second: Person
) -> None:
    ask(notify, person, second)
    notify.push(person.texts(f"1 {person.code[-4:]}"))
    settle(notify, person)
    notify.push(person.texts("2"))
    assert replies(notify) == [(str(person.case_id), "satisfied")]
    assert answers(notify, person)[-1].startswith("پاسخ شما درباره کدام کد است؟")


def test_two_answers_in_one_text_each_reach_their_case(notify: NotifyFixture, person: Person, second: Person) -> None:
    ask(notify, person, second)
    notify.push(person.texts(f"1 {person.code[-4:]}\n2 {second.code[-4:]}"))
    assert replies(notify) == [(str(person.case_id), "satisfied"), (str(second.case_id), "object")]


def test_two_codes_in_one_text_are_both_answered(notify: NotifyFixture, person: Person, second: Person) -> None:
    notify.push(person.texts(f"{person.shown_code} {second.shown_code}"))
    assert answers(notify, person)[-2:] == [status(person), status(second)]


def test_digits_of_no_open_decision_are_told(notify: NotifyFixture, person: Person) -> None:
    ask(notify, person)
    wrong = f"{(int(person.code[-4:]) + 1) % 10_000:04d}"
    notify.push(person.texts(f"2 {wrong}"))
    assert replies(notify) == []
    assert answers(notify, person)[-1].startswith("پاسخ شما درباره کدام کد است؟")
    other = Person(notify.keys)
    notify.push(other.texts("2 1234"))
    assert notify.sms_of(other)[-1].startswith("کدی با این چهار رقم")


def test_an_unclear_answer_is_asked_again(notify: NotifyFixture, person: Person) -> None:
    ask(notify, person)
    notify.push(person.texts("1 یا 2"), person.texts("آیا می‌توانم اعتراض کنم؟"))
    assert replies(notify) == []
    unclear = f"پاسخ شما درباره کد منتهی به {person.code[-4:]} روشن نیست. لطفاً تنها 1 راضی یا 2 اعتراض را بفرستید."
    assert answers(notify, person)[1:] == [f"{unclear}\n{OFFICE}"] * 2


def test_the_holder_of_a_code_answers_from_any_phone_and_is_told_there(notify: NotifyFixture) -> None:
    anonymous, phone = Person(notify.keys, mobile=None), Person(notify.keys)
    notify.publish(anonymous.registered(), anonymous.opened(), anonymous.decided())
    notify.push(phone.texts(f"2 {anonymous.code}"))
    assert replies(notify) == [(str(anonymous.case_id), "object")]
    settle(notify, anonymous)
    taken = f"اعتراض شما درباره کد منتهی به {anonymous.code[-4:]} ثبت شد و بازرس دیگری آن را بررسی می‌کند."
    assert notify.sms_of(phone) == [f"{taken}\n{OFFICE}"]
    assert notify.rows._all("select * from open_replies") == []


def test_the_last_digits_of_another_phones_code_reach_nothing(notify: NotifyFixture, person: Person) -> None:
    ask(notify, person)
    stranger = Person(notify.keys)
    notify.publish(stranger.registered(), stranger.opened(), stranger.decided())
    notify.send()
    notify.push(stranger.texts(f"2 {person.code[-4:]}"))
    assert replies(notify) == []


def test_a_case_closed_unanswered_is_reopened_by_a_word(notify: NotifyFixture, person: Person) -> None:
    until = notify.clock.date() + timedelta(days=10)
    closed = {"expected_on": None, "object_until": until}
    notify.publish(person.event(tracking.CaseUnanswered, Stage.CLOSED, object_until=until, snapshot=closed))
    notify.send()
    notify.push(person.texts("ادامه"))
    assert replies(notify) == [(str(person.case_id), "resume")]


@pytest.mark.parametrize("text", ["1", "2"])
def test_a_number_without_a_question_gets_help(notify: NotifyFixture, person: Person, text: str) -> None:
    notify.push(person.texts(text))
    assert replies(notify) == []
    assert answers(notify, person) == [HELP]


def test_a_question_that_was_never_sent_is_not_answered(notify: NotifyFixture, person: Person) -> None:
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


def test_the_database_contains_no_code_and_no_mobile(notify: NotifyFixture, person: Person) -> None:
    notify.publish(person.citizen_asked(), person.decided())
    notify.send()
    notify.push(person.texts(person.code), person.texts("1"), person.texts("سلام"))
    notify.later(minutes=1)
    notify.poll()
    stored = notify.rows.everything()
    for secret in (person.code, person.shown_code, person.phone, person.phone[3:]):
        assert secret not in stored
    assert f"'{person.code[-4:]}'" not in stored
    assert "1405-" in stored  # what is stored was looked at


def test_help_is_in_the_language_of_the_last_submission_of_the_phone(notify: NotifyFixture) -> None:
    english = Person(notify.keys, Language.EN)
    notify.publish(english.registered(), english.opened())
    notify.later(seconds=timedelta(minutes=1).seconds)
    notify.push(english.texts("hello"))
    assert notify.sms_of(english)[-1].startswith("To learn the state of your case")
