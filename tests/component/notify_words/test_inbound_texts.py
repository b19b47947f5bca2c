"""Answers to inbound texts, word for word, in fa and en."""

from __future__ import annotations

from datetime import timedelta

from contracts.base import now
from services.notify.notifications.of_inbound_texts import INBOUND_TEXTS
from tests.component.notify_words.scene import DAY, EN, FA, OFFICE, Scene, open_case, unread
from tests.support.notify import Keys, Person


def test_a_handset_asks_for_its_case(scene: Scene, keys: Keys) -> None:
    person, wire, office = scene.person, scene.wire, OFFICE[scene.language]
    open_case(scene)

    wire.command(person.texts(person.shown_code.replace("-", " ")))
    if scene.language is FA:
        scene.sms("status", f"مرحله: ثبت شد\nنتیجه تا {DAY[FA]}\n{office}", "handset")
    else:
        scene.sms("status", f"Stage: Registered\nResult expected by {DAY[EN]}\n{office}", "handset")

    wire.event(person.decided("settled"))
    scene.sms("decided", scene.simulator.messages(person.phone, after=scene._last, wait=20)[0]["text"])
    wire.command(person.texts(person.code))
    answer = f"نتیجه رسیدگی: سازش\n{office}" if scene.language is FA else f"Result: Settled\n{office}"
    scene.sms("status_decided", answer, "handset")

    another = Person(keys, scene.language)
    wire.command(person.texts(another.code))
    if scene.language is FA:
        answer = f"درخواست شما رسیده و در حال ثبت است. لطفاً کمی بعد دوباره کد را بفرستید.\n{office}"
    else:
        answer = f"Your submission has arrived and is being registered. Please send the code again shortly.\n{office}"
    scene.sms("still_registering", answer, "handset")

    wire.command(person.texts("1234567890123456"))
    if scene.language is FA:
        answer = f"این کد رهگیری درست نیست. لطفاً ۱۶ رقم آن را دوباره بررسی کنید و بفرستید.\n{office}"
    else:
        answer = f"This tracking code is not right. Please check its 16 digits and send it again.\n{office}"
    scene.sms("code_not_found", answer, "handset")


def test_a_handset_answers_the_decision(scene: Scene) -> None:
    person, wire, office = scene.person, scene.wire, OFFICE[scene.language]
    open_case(scene)
    wire.event(person.decided("upheld", until=now().date() - timedelta(days=2)))
    scene.sms("decided", scene.simulator.messages(person.phone, after=scene._last, wait=20)[0]["text"])

    wire.command(person.texts("۲"))
    if scene.language is FA:
        answer = f"مهلت اعتراض به این نتیجه پایان یافته است.\n{office}"
    else:
        answer = f"The time to object to this result has passed.\n{office}"
    scene.sms("objection_closed", answer, "handset")

    wire.command(person.texts("۱"))
    if scene.language is FA:
        answer = f"از پاسخ شما سپاسگزاریم. نظر شما در بهبود خدمات به کار می‌آید.\n{office}"
    else:
        answer = f"Thank you for your answer. It helps us serve better.\n{office}"
    scene.sms("rating_thanks", answer, "handset")


def test_a_handset_says_something_else(scene: Scene) -> None:
    open_case(scene)
    scene.wire.command(scene.person.texts("سلام، چه خبر؟"))
    if scene.language is FA:
        answer = f"برای آگاهی از وضعیت پرونده، کد رهگیری ۱۶ رقمی خود را به همین شماره بفرستید.\n{OFFICE[FA]}"
    else:
        answer = f"To learn the state of your case, send its 16-digit tracking code to this number.\n{OFFICE[EN]}"
    scene.sms("help", answer, "handset")


def test_every_notification_was_read_above() -> None:
    assert unread(INBOUND_TEXTS) == set()
