"""Notifications of citizens, word for word, in fa and en."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from contracts import tracking
from contracts.notify import ListMessages
from contracts.vocabulary import Kind, Stage
from services.notify.notifications.of_cases import CITIZENS
from tests.component.notify_words.scene import DAY, EN, FA, OFFICE, WORD, Scene, open_case, unread
from tests.support.notify import EXPECTED
from tests.support.processes import eventually


@pytest.mark.parametrize("kind", list(Kind))
def test_from_filing_to_the_final_decision(scene: Scene, kind: Kind) -> None:
    person, broker_client, language = scene.person, scene.broker_client, scene.language
    person.kind = kind
    word, code, office = WORD[language][kind], person.shown_code, OFFICE[language]
    open_case(scene)

    broker_client.publish_event(person.citizen_asked())
    if language is FA:
        scene.sms(
            "question_asked",
            f"برای ادامه رسیدگی به پاسخ شما نیاز داریم. لطفاً با این کد در سامانه پیگیر پاسخ دهید:\n{code}\n{office}",
        )
        scene.inbox("question_asked", "بازرس پرسشی از شما دارد. تا رسیدن پاسخ شما، مهلت رسیدگی متوقف است.")
    else:
        scene.sms(
            "question_asked",
            "We need your answer to go on with your case. Please answer on the Peygir site with this code:\n"
            f"{code}\n{office}",
        )
        scene.inbox(
            "question_asked",
            "The inspector has a question for you. The clock of your case is stopped until you answer.",
        )

    broker_client.publish_event(person.decided("partly_upheld"))
    if language is FA:
        scene.sms(
            "decided",
            f"نتیجه رسیدگی به {word} شما: وارد جزئی\n{code}\nلطفاً پاسخ دهید: 1 راضی، 2 اعتراض\n{office}",
        )
        scene.inbox(
            "decided",
            f"رسیدگی به {word} شما به نتیجه رسید: وارد جزئی. می‌توانید نظر خود را بگویید یا یک بار اعتراض کنید.",
        )
    else:
        scene.sms(
            "decided",
            f"The result of your {word}: Partly upheld\n{code}\nPlease reply: 1 satisfied, 2 object\n{office}",
        )
        scene.inbox("decided", f"Your {word} has been decided: Partly upheld. You may rate it, or object once.")

    broker_client.publish_event(person.event(tracking.CaseObjected, Stage.REVIEW))
    if language is FA:
        scene.sms(
            "objection_registered",
            f"اعتراض شما ثبت شد و بازرس دیگری آن را بررسی می‌کند.\n{code}\nنتیجه تا {DAY[FA]}\n{office}",
        )
        scene.inbox(
            "objection_registered",
            f"اعتراض شما ثبت شد و بازرس دیگری آن را بررسی می‌کند. نتیجه تا {DAY[FA]} اعلام می‌شود.",
        )
    else:
        scene.sms(
            "objection_registered",
            "Your objection is registered; another inspector will hear it.\n"
            f"{code}\nResult expected by {DAY[EN]}\n{office}",
        )
        scene.inbox(
            "objection_registered",
            f"Your objection is registered and another inspector will hear it. The result is expected by {DAY[EN]}.",
        )

    broker_client.publish_event(person.decided("not_upheld", final=True))
    if language is FA:
        scene.sms("decided_final", f"نتیجه نهایی رسیدگی به {word} شما: غیروارد\n{code}\n{office}")
        scene.inbox("decided_final", f"نتیجه نهایی رسیدگی به {word} شما: غیروارد.")
    else:
        scene.sms("decided_final", f"The final result of your {word}: Not upheld\n{code}\n{office}")
        scene.inbox("decided_final", f"The final result of your {word}: Not upheld.")

    broker_client.publish_event(person.event(tracking.CaseRated, Stage.CLOSED, score=4))
    if language is FA:
        scene.inbox("rating_thanks", "از نظر شما سپاسگزاریم. نظر شما ثبت شد و در بهبود خدمات به کار می‌آید.")
    else:
        scene.inbox("rating_thanks", "Thank you for your rating. It is recorded and helps us serve better.")


def test_a_refusal(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    scene.broker_client.publish_event(person.event(tracking.CaseRefused, Stage.REFUSED, reason="outside_remit"))
    if scene.language is FA:
        scene.sms("refused", f"شکایت شما پذیرفته نشد: موضوع در صلاحیت شهرداری نیست.\n{person.shown_code}\n{office}")
        scene.inbox("refused", "شکایت شما پذیرفته نشد: موضوع در صلاحیت شهرداری نیست.")
    else:
        text = "Your complaint was not accepted. It is outside the municipality's remit."
        scene.sms("refused", f"{text}\n{person.shown_code}\n{office}")
        scene.inbox("refused", text)


def test_a_refusal_for_a_reason_defined_by_the_office(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    named: dict[str, Any] = {"reason_fa": "مهر ندارد", "reason_en": "It bears no stamp"}
    scene.broker_client.publish_event(person.event(tracking.CaseRefused, Stage.REFUSED, reason="no_stamp", **named))
    if scene.language is FA:
        scene.sms("refused", f"شکایت شما پذیرفته نشد: مهر ندارد.\n{person.shown_code}\n{office}")
        scene.inbox("refused", "شکایت شما پذیرفته نشد: مهر ندارد.")
    else:
        scene.sms("refused", f"Your complaint was not accepted. It bears no stamp.\n{person.shown_code}\n{office}")
        scene.inbox("refused", "Your complaint was not accepted. It bears no stamp.")


def test_a_merger(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    scene.broker_client.publish_event(person.event(tracking.CaseMerged, Stage.MERGED, into=uuid4()))
    if scene.language is FA:
        scene.sms(
            "merged",
            f"شکایت شما به پرونده‌ای با همین موضوع پیوست و همراه آن رسیدگی می‌شود.\n{person.shown_code}\n{office}",
        )
        scene.inbox(
            "merged",
            "شکایت شما همراه پرونده‌ای با همین موضوع رسیدگی می‌شود. کد رهگیری شما همچنان معتبر است.",
        )
    else:
        scene.sms(
            "merged",
            "Your complaint was joined to a case on the same matter and is handled with it.\n"
            f"{person.shown_code}\n{office}",
        )
        scene.inbox(
            "merged",
            "Your complaint is handled with a case on the same matter. Your tracking code stays valid.",
        )


def test_the_outcome_of_the_case_it_was_merged_into(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    event = person.event(tracking.MergedCaseDecided, Stage.MERGED, outcome="upheld")
    scene.broker_client.publish_event(event)
    scene.broker_client.publish_event(event)
    if scene.language is FA:
        scene.sms(
            "joined_decided",
            f"نتیجه پرونده‌ای که شکایت شما به آن پیوسته است: وارد\n{person.shown_code}\n{office}",
        )
        scene.inbox("joined_decided", "پرونده‌ای که شکایت شما همراه آن رسیدگی شد به نتیجه رسید: وارد.")
    else:
        scene.sms(
            "joined_decided",
            f"The result of the case your complaint was joined to: Upheld\n{person.shown_code}\n{office}",
        )
        scene.inbox("joined_decided", "The case your complaint was handled with has been decided: Upheld.")


def test_the_refusal_of_the_case_it_was_merged_into(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    names: dict[str, Any] = {"reason_fa": "در صلاحیت نیست", "reason_en": "Outside the remit"}
    event = person.event(tracking.MergedCaseRefused, Stage.MERGED, reason="outside_remit", **names)
    scene.broker_client.publish_event(event)
    scene.broker_client.publish_event(event)
    if scene.language is FA:
        text = "پرونده‌ای که شکایت شما به آن پیوسته است پذیرفته نشد: در صلاحیت نیست."
    else:
        text = "The case your complaint was joined to was not accepted. Outside the remit."
    scene.sms("joined_refused", f"{text}\n{person.shown_code}\n{office}")
    scene.inbox("joined_refused", text)


def test_a_merged_case_that_is_reopened(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    event = person.event(tracking.CaseReopened, Stage.SCREENING)
    scene.broker_client.publish_event(event)
    scene.broker_client.publish_event(event)
    if scene.language is FA:
        text = "پرونده‌ای که شکایت شما به آن پیوسته بود بی‌نتیجه ماند. کار شما جداگانه رسیدگی می‌شود."
    else:
        text = "The case your complaint was joined to ended without a result. Your complaint is now handled by itself."
    scene.sms("reopened", f"{text}\n{person.shown_code}\n{office}")
    scene.inbox("reopened", text)


def test_a_withdrawal(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    scene.broker_client.publish_event(person.withdrawn())
    if scene.language is FA:
        text = "بنا به درخواست شما، رسیدگی به شکایت شما پایان یافت."
    else:
        text = "As you asked, your complaint was withdrawn."
    scene.sms("withdrawn", f"{text}\n{person.shown_code}\n{office}")
    scene.inbox("withdrawn", text)


def test_a_new_code_for_one_that_was_already_taken(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    scene.broker_client.publish_event(person.recoded())
    if scene.language is FA:
        scene.sms(
            "registered_new_code",
            "شکایت شما با کد رهگیری تازه ثبت شد؛ لطفاً این کد را به جای کد پیشین نگه دارید:\n"
            f"{person.shown_code}\n{office}",
        )
        scene.inbox(
            "registered_new_code",
            "شکایت شما با کد رهگیری تازه‌ای ثبت شد. لطفاً رسید تازه را بگیرید و نگه دارید.",
        )
    else:
        scene.sms(
            "registered_new_code",
            "Your complaint is registered under a new tracking code. Please keep this one in place of the first:\n"
            f"{person.shown_code}\n{office}",
        )
        scene.inbox(
            "registered_new_code",
            "Your complaint is registered under a new tracking code. Please take its new receipt and keep it.",
        )


def test_a_corrected_mobile_and_a_replaced_code(scene: Scene) -> None:
    person, office, fa = scene.person, OFFICE[scene.language], scene.language is FA
    open_case(scene)
    scene.broker_client.publish_event(person.recoded().model_copy(update={"reason": "corrected"}))
    sms = "شماره همراه شکایت شما اصلاح شد. کد رهگیری تازه:"
    scene.sms(
        "mobile_corrected",
        f"{sms if fa else 'The mobile of your complaint was corrected. New tracking code:'}\n"
        f"{person.shown_code}\n{office}",
    )
    text = "شماره همراه شکایت شما اصلاح شد و کد رهگیری تازه‌ای گرفت. کد پیشین دیگر کار نمی‌کند."
    english = "The mobile of your complaint was corrected, and it has a new tracking code. The earlier one is no longer valid."
    scene.inbox("mobile_corrected", text if fa else english)

    scene.broker_client.publish_event(person.recoded().model_copy(update={"reason": "lost", "attempt": 2}))
    sms = "کد رهگیری شکایت شما عوض شد و کد پیشین دیگر کار نمی‌کند. کد تازه:"
    english = "Your complaint has a new tracking code; the earlier one is no longer valid:"
    scene.sms("code_replaced", f"{sms if fa else english}\n{person.shown_code}\n{office}")
    text = "شکایت شما کد رهگیری تازه‌ای گرفت. کد پیشین دیگر کار نمی‌کند."
    english = "Your complaint has a new tracking code. The earlier one is no longer valid."
    scene.inbox("code_replaced", text if fa else english)


def test_a_citizen_is_notified_of_each_refused_file_and_by_sms_of_the_first_only(scene: Scene) -> None:
    person, broker_client, office, fa = scene.person, scene.broker_client, OFFICE[scene.language], scene.language is FA
    open_case(scene)
    if fa:
        sms = "یکی از فایل‌های شما پذیرفته نشد. دلیل را با این کد ببینید و اگر خواستید فایل دیگری بفرستید:"
        text = (
            "دست‌کم یکی از فایل‌هایی که فرستاده‌اید پذیرفته نشد. نام فایل و دلیل آن در پرونده نوشته شده است؛ "
            "تا پرونده باز است می‌توانید فایل دیگری بفرستید."
        )
    else:
        sms = "A file of yours could not be accepted. With this code you can see why and send another:"
        text = (
            "At least one of the files you sent could not be accepted. Your case says which one and why; "
            "while it is open you can send another."
        )
    for first in (True, False):
        broker_client.publish_event(
            person.event(tracking.EvidenceRefused, Stage.SCREENING, media=["A" * 22], first=first)
        )
        if first:
            scene.sms("evidence_refused", f"{sms}\n{person.shown_code}\n{office}")
        scene.inbox("evidence_refused", text)

    def both_are_read() -> bool:
        items = broker_client.call("notify", "list_messages", ListMessages(code_hashes=[person.code_hash]))["items"]
        return [item["template"] for item in items] == ["evidence_refused", "evidence_refused", "registered"]

    eventually(both_are_read)
    broker_client.publish_event(person.citizen_asked())
    question = (
        "برای ادامه رسیدگی به پاسخ شما نیاز داریم. لطفاً با این کد در سامانه پیگیر پاسخ دهید:"
        if fa
        else "We need your answer to go on with your case. Please answer on the Peygir site with this code:"
    )
    scene.sms("question_asked", f"{question}\n{person.shown_code}\n{office}")  # the next one: of the second file, none


def test_a_citizen_who_does_not_answer_is_reminded_and_told_of_the_closing(scene: Scene) -> None:
    person, broker_client, fa, office = scene.person, scene.broker_client, scene.language is FA, OFFICE[scene.language]
    word, code = WORD[scene.language][person.kind], person.shown_code
    open_case(scene)
    waiting = {"expected_on": None}
    broker_client.publish_event(
        person.event(tracking.CitizenReminded, Stage.AWAITING_CITIZEN, close_on=EXPECTED, snapshot=waiting)
    )
    if fa:
        scene.sms(
            "question_reminder",
            f"به پرسش ما پاسخ نداده‌اید. تا {DAY[FA]} در سامانه پاسخ دهید؛ وگرنه پرونده بسته می‌شود:\n{code}\n{office}",
        )
        text = f"پرسش بازرس هنوز بی‌پاسخ است. اگر تا {DAY[FA]} پاسخ ندهید، پرونده بسته می‌شود."
    else:
        scene.sms(
            "question_reminder",
            "Our question still waits for your answer. Please answer on the Peygir site by "
            f"{DAY[EN]}, or the case will be closed:\n{code}\n{office}",
        )
        text = (
            f"The inspector's question still waits for your answer. Without it by {DAY[EN]}, the case will be closed."
        )
    scene.inbox("question_reminder", text)

    broker_client.publish_event(
        person.event(tracking.CaseUnanswered, Stage.CLOSED, object_until=EXPECTED, snapshot=waiting)
    )
    if fa:
        scene.sms(
            "closed_unanswered",
            f"پرونده بی‌پاسخ بسته شد. تا {DAY[FA]} با پاسخ در سامانه یا فرستادن «ادامه» باز می‌شود:\n{code}\n{office}",
        )
        text = (
            f"پاسخی به پرسش بازرس نرسید و رسیدگی به {word} شما پایان یافت. "
            f"اگر تا {DAY[FA]} پاسخ دهید، پرونده دوباره باز می‌شود."
        )
    else:
        scene.sms(
            "closed_unanswered",
            f"No answer came and the case is closed. To reopen it, answer on the site or reply CONTINUE by {DAY[EN]}:\n"
            f"{code}\n{office}",
        )
        text = (
            f"The inspector's question was not answered, and your {word} was closed. "
            f"If you answer by {DAY[EN]}, it is opened again."
        )
    scene.inbox("closed_unanswered", text)

    broker_client.publish_event(person.event(tracking.CaseResumed, Stage.INVESTIGATING))
    scene.inbox(
        "resumed",
        f"بنا به درخواست شما، رسیدگی به {word} شما از سر گرفته شد."
        if fa
        else f"As you asked, your {word} is open again.",
    )


def test_every_notification_is_covered_by_this_module() -> None:
    assert unread(CITIZENS) == set()
