"""What a handset texts to the office's number, and what the office answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from backbone import sealing
from contracts import tracking_codes
from contracts.gateway import InboundSms, ReceiveSms
from contracts.vocabulary import Language
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.notify import NIGHT, TOLD_FA, Desk, Office, Person, desks

HELP = "برای آگاهی از وضعیت پرونده، کد رهگیری ۱۶ رقمی خود را به همین شماره بفرستید.\nبازرسی شهرداری قزوین"
THANKS = "از پاسخ شما سپاسگزاریم. نظر شما در بهبود خدمات به کار می‌آید.\nبازرسی شهرداری قزوین"


@pytest.fixture(scope="module")
def desk(broker: RabbitMQ, postgres: PostgreSQL) -> Iterator[Desk]:
    with desks(broker.url, postgres.url, "notify_handset") as opened:
        yield opened


@pytest.fixture
def office(desk: Desk) -> Office:
    return desk.office()


@pytest.fixture
def person(office: Office) -> Person:
    """Whose case is open, and who has heard so."""
    somebody = Person(office.keys)
    office.tell(somebody.registered(), somebody.opened())
    office.send()
    return somebody


def answers(office: Office, person: Person) -> list[str]:
    """What this phone got but for the first SMS."""
    return office.told(person)[1:]


def replies(office: Office) -> list[tuple[str, str]]:
    return [(body["case_id"], body["reply"]) for name, body in office.outbox() if name == "citizen.replied.v1"]


@pytest.mark.parametrize("group", [" ", "-", "", "\u200c", "\n"])
@pytest.mark.parametrize("zero", ["0", "۰", "٠"])
def test_a_code_in_any_writing_is_answered_with_stage_and_date(
    office: Office, person: Person, group: str, zero: str
) -> None:
    written = group.join(person.code[at : at + 4] for at in range(0, 16, 4))
    office.hear(person.texts(written.translate({ord("0") + d: chr(ord(zero) + d) for d in range(10)})))
    assert answers(office, person) == [f"مرحله: ثبت شد\nنتیجه تا {TOLD_FA}\nبازرسی شهرداری قزوین"]


@pytest.mark.parametrize(
    "message",
    [
        "پیگیر\nکد رهگیری شکایت شما:\n{}\nتلفن ۰۲۸۳۳۲۲۱۱۰۰",
        "{} شماره من 0912 345 6789 است",
        "ثبت در ۱۴۰۵/۰۹/۰۲ ساعت ۱۴:۰۵، کد: {}",
    ],
)
@pytest.mark.parametrize("group", ["-", "/", " / ", "_"])
def test_a_code_is_found_in_a_whole_message(office: Office, person: Person, message: str, group: str) -> None:
    office.hear(person.texts(message.format(group.join(person.code[at : at + 4] for at in range(0, 16, 4)))))
    assert answers(office, person) == [f"مرحله: ثبت شد\nنتیجه تا {TOLD_FA}\nبازرسی شهرداری قزوین"]


def test_a_code_is_answered_to_whoever_holds_it_in_the_language_of_the_case(office: Office) -> None:
    owner, holder = Person(office.keys, Language.EN), Person(office.keys)
    office.tell(owner.registered(), owner.opened(), owner.asked())
    holder.code = owner.code
    office.hear(holder.texts(owner.code))
    assert office.told(holder) == ["Stage: Waiting for your answer\nQazvin Municipality Inspection"]


def test_an_anonymous_report_is_followed_by_sms_without_telling_who_asks(office: Office) -> None:
    anonymous, phone = Person(office.keys, mobile=None), Person(office.keys)
    office.tell(anonymous.registered(), anonymous.opened())
    office.hear(phone.texts(anonymous.code))
    assert office.told(phone) == [f"مرحله: ثبت شد\nنتیجه تا {TOLD_FA}\nبازرسی شهرداری قزوین"]
    assert office.rows.of_case(anonymous.case_id)[0]["mobile_hash"] is None


def test_a_code_under_an_older_key_is_still_known(office: Office, person: Person) -> None:
    newer = office.settings.model_copy(
        update={
            "code_index_keys": [
                type(office.settings.mobile_index_key)(b"n" * 32),
                *office.settings.code_index_keys,
            ],
            "code_mac_keys": [
                type(office.settings.mobile_index_key)(b"m" * 32),
                *office.settings.code_mac_keys,
            ],
        }
    )
    office.handset = type(office.handset)(newer, office.now)
    office.hear(person.texts(person.code))
    assert answers(office, person)[0].startswith("مرحله: ثبت شد")


def test_a_text_told_twice_by_the_provider_is_one(office: Office, person: Person) -> None:
    text = person.texts(person.code, provider_message_id="77")
    office.hear(text, text, person.texts(person.code, provider_message_id="77"))
    assert len(answers(office, person)) == 1


def test_an_answer_does_not_wait_for_the_morning(office: Office, person: Person) -> None:
    office.clock = NIGHT
    office.hear(person.texts(person.code))
    assert len(answers(office, person)) == 1


def test_help_and_a_wrong_code_are_answered_once_an_hour_together(office: Office, person: Person) -> None:
    wrong = str((int(person.code) + 1) % 10**16).zfill(16)
    assert tracking_codes.parse(wrong, office.keys.mac) is None
    office.hear(person.texts("سلام"), person.texts("سلام؟"), person.texts(wrong))
    assert answers(office, person) == [HELP]
    office.later(minutes=59)
    office.hear(person.texts("الو"))
    assert answers(office, person) == [HELP]
    office.later(minutes=1)
    office.hear(person.texts(wrong))
    assert answers(office, person)[1].startswith("این کد رهگیری درست نیست.")
    other = Person(office.keys)
    office.hear(other.texts("سلام"))
    assert office.told(other) == [HELP]


def test_two_machines_do_not_talk_for_ever(office: Office, person: Person) -> None:
    for _ in range(30):
        office.hear(person.texts(person.code))
    assert len(answers(office, person)) == 20
    office.later(hours=1)
    office.hear(person.texts(person.code))
    assert len(answers(office, person)) == 21


def test_one_answers_the_last_question_and_is_thanked(office: Office, person: Person) -> None:
    office.tell(person.decided())
    office.send()
    office.hear(person.texts("۱"))
    assert replies(office) == [(str(person.case_id), "satisfied")]
    assert answers(office, person)[1:] == [THANKS]


def test_two_objects_and_tracking_will_say_so(office: Office, person: Person) -> None:
    office.tell(person.decided(until=office.clock.date()))
    office.send()
    office.hear(person.texts("2"))
    assert replies(office) == [(str(person.case_id), "object")]
    assert len(answers(office, person)) == 1


def test_an_objection_after_its_day_is_not_passed_on(office: Office, person: Person) -> None:
    office.tell(person.decided(until=office.clock.date()))
    office.send()
    office.later(days=1)
    office.hear(person.texts("2"))
    assert replies(office) == []
    assert answers(office, person)[1] == "مهلت اعتراض به این نتیجه پایان یافته است.\nبازرسی شهرداری قزوین"


def test_the_same_answer_counts_once_and_a_changed_mind_is_heard(office: Office, person: Person) -> None:
    office.tell(person.decided())
    office.send()
    office.hear(person.texts("1"), person.texts("۱"), person.texts("2"))
    assert [reply for _, reply in replies(office)] == ["satisfied", "object"]
    assert answers(office, person).count(THANKS) == 1


def test_of_two_cases_of_one_phone_the_last_question_is_answered(office: Office, person: Person) -> None:
    second = Person(office.keys, mobile=person.mobile)
    office.tell(second.registered(), second.opened(), person.decided())
    office.send()
    office.later(minutes=1)
    office.tell(second.decided())
    office.send()
    office.hear(person.texts("1"))
    assert replies(office) == [(str(second.case_id), "satisfied")]


@pytest.mark.parametrize("text", ["1", "2"])
def test_a_number_without_a_question_gets_help(office: Office, person: Person, text: str) -> None:
    office.hear(person.texts(text))
    assert replies(office) == []
    assert answers(office, person) == [HELP]


def test_a_question_that_never_went_out_is_not_answered(office: Office, person: Person) -> None:
    office.simulator.fault("busy", count=0)
    office.tell(person.decided())
    office.send()
    office.simulator.reset()
    office.hear(person.texts("1"))
    assert replies(office) == []


def test_a_foreign_or_unreadable_sender_is_noted_and_not_answered(office: Office) -> None:
    box = sealing.seal(InboundSms(mobile="+4915112345678", text="1"), office.keys.public)
    office.hear(
        ReceiveSms(provider="kavenegar", provider_message_id=str(uuid4()), sealed_message=box, received_at=NIGHT)
    )
    assert office.simulator.messages(accepted=True) == []


def test_no_code_and_no_mobile_lies_in_the_database(office: Office, person: Person) -> None:
    office.tell(person.asked(), person.decided())
    office.send()
    office.hear(person.texts(person.code), person.texts("1"), person.texts("سلام"))
    office.later(minutes=1)
    office.sender.look_after_sent(office.database)
    stored = office.rows.everything()
    for secret in (person.code, person.shown_code, person.phone, person.phone[3:]):
        assert secret not in stored
    assert "1405-" in stored  # what is stored was looked at


def test_help_is_given_in_the_language_this_phone_last_filed_in(office: Office) -> None:
    english = Person(office.keys, Language.EN)
    office.tell(english.registered(), english.opened())
    office.later(seconds=timedelta(minutes=1).seconds)
    office.hear(english.texts("hello"))
    assert office.told(english)[-1].startswith("To learn the state of your case")
