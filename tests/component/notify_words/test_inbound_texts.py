"""Answers to inbound texts, word for word, in fa and en."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from backbone.persian import jalali
from contracts import tracking_codes
from contracts.base import now
from contracts.tracking import CaseObjected, CaseRated, CaseResumed, CaseUnanswered, ReplyRefused, TrackedEvent
from contracts.vocabulary import Stage
from services.notify.notifications.of_inbound_texts import INBOUND_TEXTS
from tests.component.notify_words.scene import DAY, EN, FA, OFFICE, Scene, open_case, unread
from tests.support.notify import Keys, Person
from tests.support.processes import eventually


class Replies:
    """A phone that answers, and tracking, which says what became of it."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.person = scene, scene.person
        self.heard = len(self._all())

    def _all(self) -> list[dict[str, Any]]:
        return self.scene.broker_client.recorded_events("citizen.replied.v1")

    def send(self, text: str, event: type[TrackedEvent], stage: Stage, **fields: Any) -> None:
        self.scene.broker_client.publish_command(self.person.texts(text))
        [reply] = eventually(lambda: self._all()[self.heard :])
        self.heard += 1
        about: dict[str, Any] = {"reply_id": UUID(reply["id"]), "snapshot": {"outcome": "upheld", "expected_on": None}}
        self.scene.broker_client.publish_event(self.person.event(event, stage, **about, **fields))

    def refuse(self, text: str, reason: str, reply: str) -> None:
        self.send(text, ReplyRefused, Stage.CLOSED, reason=reason, reply=reply)

    def answered(self, template: str, fa: str, en: str) -> None:
        text = fa if self.scene.language is FA else en
        ending = self.person.code[-4:]
        self.scene.sms(template, f"{text.format(ending=ending)}\n{OFFICE[self.scene.language]}", "handset")


def test_a_handset_requests_the_status_of_its_case(scene: Scene, keys: Keys) -> None:
    person, broker_client, office = scene.person, scene.broker_client, OFFICE[scene.language]
    ending = person.code[-4:]
    open_case(scene)

    broker_client.publish_command(person.texts(person.shown_code.replace("-", " ")))
    if scene.language is FA:
        scene.sms("status", f"مرحله: ثبت شد\nنتیجه تا {DAY[FA]}\nکد منتهی به {ending}\n{office}", "handset")
    else:
        text = f"Stage: Registered\nResult expected by {DAY[EN]}\nCode ending in {ending}\n{office}"
        scene.sms("status", text, "handset")

    broker_client.publish_event(person.decided("settled"))
    scene.sms("decided", scene.simulator.messages(person.phone, after=scene._last, wait=20)[0]["text"])
    broker_client.publish_command(person.texts(person.code))
    answer = (
        f"نتیجه رسیدگی: سازش\nکد منتهی به {ending}\n{office}"
        if scene.language is FA
        else f"Result: Settled\nCode ending in {ending}\n{office}"
    )
    scene.sms("status_decided", answer, "handset")

    another = Person(keys, scene.language)
    broker_client.publish_command(person.texts(another.code))
    if scene.language is FA:
        answer = (
            f"درخواست شما رسیده و در حال ثبت است (کد منتهی به {another.code[-4:]})."
            f" لطفاً کمی بعد دوباره کد را بفرستید.\n{office}"
        )
    else:
        answer = (
            f"Your submission has arrived and is being registered (code ending in {another.code[-4:]})."
            f" Please send the code again shortly.\n{office}"
        )
    scene.sms("still_registering", answer, "handset")

    broker_client.publish_command(person.texts("1234567890123456"))
    if scene.language is FA:
        answer = f"این کد رهگیری درست نیست. لطفاً ۱۶ رقم آن را دوباره بررسی کنید و بفرستید.\n{office}"
    else:
        answer = f"This tracking code is not right. Please check its 16 digits and send it again.\n{office}"
    scene.sms("code_not_found", answer, "handset")


def test_a_handset_replies_to_the_decision(scene: Scene, keys: Keys) -> None:
    scene.broker_client.record_events("notify.events")
    person, broker_client = scene.person, scene.broker_client
    replies = Replies(scene)
    open_case(scene)
    broker_client.publish_command(person.texts("2 1234"))
    replies.answered(
        "no_decision_waits",
        "کدی با این چهار رقم پایانی در انتظار پاسخ شما نیست. لطفاً کد کامل ۱۶ رقمی را بفرستید.",
        "No code with these last four digits waits for your answer. Please send the whole 16-digit code.",
    )
    broker_client.publish_event(person.decided("upheld", until=jalali.today(now()) + timedelta(days=2)))
    scene.sms("decided", scene.simulator.messages(person.phone, after=scene._last, wait=20)[0]["text"])

    broker_client.publish_command(person.texts("1 2"))
    replies.answered(
        "reply_unclear",
        "پاسخ شما درباره کد منتهی به {ending} روشن نیست. لطفاً تنها 1 راضی یا 2 اعتراض را بفرستید.",
        "Your answer on the code ending in {ending} is not clear. Please send only 1 (satisfied) or 2 (object).",
    )
    replies.send("۱", CaseRated, Stage.DECIDED, score=5)
    replies.answered(
        "rating_thanks",
        "نظر شما درباره کد منتهی به {ending} ثبت شد. سپاسگزاریم؛ نظر شما در بهبود خدمات به کار می‌آید.",
        "Your answer on the code ending in {ending} is recorded. Thank you: it helps us serve better.",
    )
    broker_client.publish_command(person.texts("1"))
    replies.answered(
        "reply_known",
        "این پاسخ شما درباره کد منتهی به {ending} پیش‌تر دریافت شده است.",
        "This answer on the code ending in {ending} was received before.",
    )
    for reason, template, fa, en in (
        (
            "known",
            "objection_known",
            "اعتراض شما درباره کد منتهی به {ending} پیش‌تر ثبت شده و در دست بررسی است.",
            "Your objection on the code ending in {ending} was registered before and is being heard.",
        ),
        (
            "final",
            "objection_final",
            "نتیجه کد منتهی به {ending} نهایی است و نمی‌توان دوباره به آن اعتراض کرد.",
            "The result of the code ending in {ending} is final; it cannot be objected to again.",
        ),
        (
            "late",
            "objection_closed",
            "مهلت اعتراض به نتیجه کد منتهی به {ending} پایان یافته است و اعتراض ثبت نشد.",
            "The time to object to the result of the code ending in {ending} has passed. No objection was registered.",
        ),
        (
            "no_effect",
            "reply_without_effect",
            "کد منتهی به {ending} در انتظار این پاسخ نیست و پاسخ شما ثبت نشد. برای آگاهی، کد کامل را بفرستید.",
            (
                "The code ending in {ending} does not wait for this answer now, so nothing was recorded."
                " Send the whole code to learn its state."
            ),
        ),
    ):
        replies.refuse(f"2 {person.code}", reason, "object")
        replies.answered(template, fa, en)
    replies.refuse(f"1 {person.code}", "late", "satisfied")
    replies.answered(
        "rating_closed",
        "مهلت نظر دادن درباره کد منتهی به {ending} پایان یافته است و نظر شما ثبت نشد.",
        "The time to rate the code ending in {ending} has passed. Your answer was not recorded.",
    )

    # The holder of another's code is told on their own phone.
    theirs = Person(keys, scene.language)
    broker_client.publish_event(theirs.registered())
    broker_client.publish_event(theirs.opened())
    scene.simulator.messages(theirs.phone, wait=20)
    broker_client.publish_command(person.texts(f"2 {theirs.code}"))
    [reply] = eventually(lambda: replies._all()[replies.heard :])
    replies.heard += 1
    broker_client.publish_event(theirs.event(CaseObjected, Stage.REVIEW, reply_id=UUID(reply["id"])))
    ending = theirs.code[-4:]
    answer = (
        f"اعتراض شما درباره کد منتهی به {ending} ثبت شد و بازرس دیگری آن را بررسی می‌کند."
        if scene.language is FA
        else f"Your objection on the code ending in {ending} is registered and another inspector will hear it."
    )
    scene.sms("objection_taken", f"{answer}\n{OFFICE[scene.language]}", "handset")


def decide_both(scene: Scene, other: Person) -> None:
    """The scene's person and another case of the same phone are decided, and the phone has been asked about both."""
    person, broker_client = scene.person, scene.broker_client
    for of_phone in (person, other):
        broker_client.publish_event(of_phone.registered())
        broker_client.publish_event(of_phone.opened())
        broker_client.publish_event(of_phone.decided("upheld", until=jalali.today(now()) + timedelta(days=2)))

        def asked(code: str = of_phone.shown_code) -> int | None:
            sent = [message for message in scene.simulator.messages(person.phone) if code in message["text"]]
            return int(sent[-1]["number"]) if len(sent) == 2 else None

        scene._last = eventually(asked)


def test_a_handset_with_two_decisions_is_asked_for_which(scene: Scene, keys: Keys) -> None:
    person, broker_client = scene.person, scene.broker_client
    same = Person(keys, scene.language, mobile=person.mobile)
    while same.code[-4:] == person.code[-4:]:
        same = Person(keys, scene.language, mobile=person.mobile)
    decide_both(scene, same)
    broker_client.publish_command(person.texts("1"))
    endings = [same.code[-4:], person.code[-4:]]
    if scene.language is FA:
        listed = "، ".join(endings)
        answer = f"پاسخ شما درباره کدام کد است؟ 1 راضی یا 2 اعتراض را با چهار رقم پایانی کد بفرستید: {listed}"
    else:
        listed = ", ".join(endings)
        answer = (
            "Which code is your answer about? Send 1 (satisfied) or 2 (object) with the last four digits of the code:"
            f" {listed}"
        )
    scene.sms("which_decision", f"{answer}\n{OFFICE[scene.language]}", "handset")


def test_two_codes_with_one_end_take_the_whole_code(scene: Scene, keys: Keys) -> None:
    person, broker_client = scene.person, scene.broker_client
    same = Person(keys, scene.language, mobile=person.mobile)
    while same.code[-4:] != person.code[-4:]:
        same.code = tracking_codes.mint(keys.mac)
    decide_both(scene, same)
    broker_client.publish_command(person.texts(f"1 {person.code[-4:]}"))
    ending = person.code[-4:]
    if scene.language is FA:
        answer = f"چهار رقم پایانی چند کد شما {ending} است. 1 راضی یا 2 اعتراض را با کد کامل ۱۶ رقمی بفرستید."
    else:
        answer = f"Several of your codes end in {ending}. Please send 1 (satisfied) or 2 (object) with the whole 16-digit code."
    scene.sms("which_code", f"{answer}\n{OFFICE[scene.language]}", "handset")


def test_a_handset_resumes_a_case_that_was_closed_unanswered(scene: Scene) -> None:
    scene.broker_client.record_events("notify.events")
    person, broker_client = scene.person, scene.broker_client
    open_case(scene)
    until = jalali.today(now()) + timedelta(days=5)
    closed = {"expected_on": None, "object_until": until}
    broker_client.publish_event(person.event(CaseUnanswered, Stage.CLOSED, object_until=until, snapshot=closed))
    scene.sms("closed_unanswered", scene.simulator.messages(person.phone, after=scene._last, wait=20)[0]["text"])
    replies = Replies(scene)
    replies.send("ادامه", CaseResumed, Stage.INVESTIGATING)
    replies.answered(
        "case_resumed",
        "رسیدگی به کد منتهی به {ending} از سر گرفته شد و بازرس آگاه شد.",
        "The case with the code ending in {ending} is open again and its inspector was told.",
    )


def test_a_handset_sends_an_unrecognised_text(scene: Scene) -> None:
    open_case(scene)
    scene.broker_client.publish_command(scene.person.texts("سلام، چه خبر؟"))
    if scene.language is FA:
        answer = f"برای آگاهی از وضعیت پرونده، کد رهگیری ۱۶ رقمی خود را به همین شماره بفرستید.\n{OFFICE[FA]}"
    else:
        answer = f"To learn the state of your case, send its 16-digit tracking code to this number.\n{OFFICE[EN]}"
    scene.sms("help", answer, "handset")


def test_every_notification_is_covered_by_this_module() -> None:
    assert unread(INBOUND_TEXTS) == set()
