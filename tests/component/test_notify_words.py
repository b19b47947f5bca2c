"""Every line of the routing table, word for word, in fa and en: events go in by the broker, SMS come out of the provider."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts import tracking
from contracts.accounts import SignInFailuresNoted, StaffChanged, StaffChangeState
from contracts.base import now
from contracts.gateway import Actor
from contracts.identities import IdentityAsked, IdentityDecided, IdentityEvent
from contracts.intake import Catalogue, CatalogueChanged, Unit
from contracts.notify import ListMessages
from contracts.staff_changes import StaffChangeDecided, StaffChangeEvent, StaffChangeRequested
from contracts.vocabulary import ActorKind, Kind, Language, Outcome, Role, Stage
from deploy.local.parts import PostgreSQL, RabbitMQ
from deploy.local.sms_simulator.embedded import Simulator, running
from deploy.local.sms_simulator.settings import Settings as SimulatorSettings
from services.notify.wording.templates import lookup_texts, table
from tests.support.notify import API_KEY, EXPECTED, LINE, Keys, Person, one_time_code
from tests.support.processes import BusClient, ServiceProcess, eventually, prepared

FA, EN = Language.FA, Language.EN
OFFICE = {FA: "بازرسی شهرداری قزوین", EN: "Qazvin Municipality Inspection"}
DAY = {FA: "۱۴۰۵/۰۹/۲۳", EN: "1405/09/23"}
WORD = {
    FA: {Kind.COMPLAINT: "شکایت", Kind.CRITICISM: "انتقاد", Kind.INFORMATION: "درخواست"},
    EN: {Kind.COMPLAINT: "complaint", Kind.CRITICISM: "criticism", Kind.INFORMATION: "submission"},
}

seen: set[tuple[str, str, str]] = set()
"""(audience, channel, template) of the table that some test below has read word for word."""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    settings = SimulatorSettings(api_key=API_KEY, sender=LINE, port=0, step_delay=0.01, templates=lookup_texts())
    with running(settings) as started:
        yield started


@pytest.fixture(scope="module")
def environment(broker: RabbitMQ, postgres: PostgreSQL, simulator: Simulator) -> dict[str, str]:
    return prepared(
        "notify",
        broker.url,
        postgres.url,
        "notify_words",
        KAVENEGAR_BASE_URL=simulator.url,
        KAVENEGAR_API_KEY=API_KEY,
        SMS_SENDER=LINE,
        NOTIFY_QUIET_HOURS="off",
    )


@pytest.fixture(scope="module")
def notify(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    process = ServiceProcess("notify", environment, tmp_path_factory.mktemp("notify") / "log").start()
    yield process
    process.stop()


class Scene:
    """One person and what reaches them."""

    def __init__(self, wire: BusClient, simulator: Simulator, person: Person) -> None:
        self.wire, self.simulator, self.person = wire, simulator, person
        self.language = person.language
        self._last = 0

    def sms(self, template: str, text: str, audience: str = "citizen") -> None:
        """The next SMS on the phone says just this."""
        (arrived,) = self.simulator.messages(self.person.phone, after=self._last, wait=20)[:1]
        self._last = arrived["number"]
        assert arrived["text"] == text
        seen.add((audience, "sms", template))

    def inbox(self, template: str, text: str) -> None:
        """The newest message that the holder of the code reads says just this."""
        asked = ListMessages(code_hashes=[self.person.code_hash], limit=1)

        def shown() -> bool:
            items = self.wire.ask("notify", "list_messages", asked)["items"]
            assert items
            item = items[0]
            assert item["template"] == template
            assert item["text"] == text
            return True

        eventually(shown)
        seen.add(("citizen", "inbox", template))

    def staff(self, actor: Actor, audience: str, template: str, text: str, number: str | None) -> None:
        """The newest message of this member of staff says just this."""

        def shown() -> bool:
            items = self.wire.ask("notify", "list_messages", ListMessages(actor=actor, limit=1))["items"]
            assert items
            item = items[0]
            assert (item["template"], item["text"], item["case_number"]) == (template, text, number)
            return True

        eventually(shown)
        seen.add((audience, "inbox", template))


@pytest.fixture(params=[FA, EN])
def language(request: pytest.FixtureRequest) -> Language:
    return Language(request.param)


@pytest.fixture
def keys(environment: dict[str, str], notify: ServiceProcess) -> Keys:
    return Keys(environment)


@pytest.fixture
def scene(wire: BusClient, simulator: Simulator, keys: Keys, language: Language) -> Scene:
    return Scene(wire, simulator, Person(keys, language))


def open_case(scene: Scene) -> None:
    person, language = scene.person, scene.language
    kind, code, office = WORD[language][person.kind], person.shown_code, OFFICE[language]
    scene.wire.event(person.registered())
    scene.wire.event(person.opened())
    if language is FA:
        scene.sms("registered", f"{kind} شما ثبت شد. کد رهگیری:\n{code}\nنتیجه تا {DAY[FA]}\n{office}")
        scene.inbox("registered", f"{kind} شما ثبت شد و در نوبت بررسی است. نتیجه تا {DAY[FA]} اعلام می‌شود.")
    else:
        scene.sms(
            "registered",
            f"Your {kind} is registered. Tracking code:\n{code}\nResult expected by {DAY[EN]}\n{office}",
        )
        scene.inbox(
            "registered",
            f"Your {kind} is registered and waits for its first reading. The result is expected by {DAY[EN]}.",
        )


@pytest.mark.parametrize("kind", list(Kind))
def test_from_filing_to_the_final_decision(scene: Scene, kind: Kind) -> None:
    person, wire, language = scene.person, scene.wire, scene.language
    person.kind = kind
    word, code, office = WORD[language][kind], person.shown_code, OFFICE[language]
    open_case(scene)

    wire.event(person.asked())
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

    wire.event(person.decided("partly_upheld"))
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

    wire.event(person.event(tracking.CaseObjected, Stage.REVIEW))
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

    wire.event(person.decided("not_upheld", final=True))
    if language is FA:
        scene.sms("decided_final", f"نتیجه نهایی رسیدگی به {word} شما: غیروارد\n{code}\n{office}")
        scene.inbox("decided_final", f"نتیجه نهایی رسیدگی به {word} شما: غیروارد.")
    else:
        scene.sms("decided_final", f"The final result of your {word}: Not upheld\n{code}\n{office}")
        scene.inbox("decided_final", f"The final result of your {word}: Not upheld.")

    wire.event(person.event(tracking.CaseRated, Stage.CLOSED, score=4))
    if language is FA:
        scene.inbox("rating_thanks", "از نظر شما سپاسگزاریم. نظر شما ثبت شد و در بهبود خدمات به کار می‌آید.")
    else:
        scene.inbox("rating_thanks", "Thank you for your rating. It is recorded and helps us serve better.")


def test_a_refusal(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    scene.wire.event(person.event(tracking.CaseRefused, Stage.REFUSED, reason="outside_remit"))
    if scene.language is FA:
        scene.sms("refused", f"شکایت شما پذیرفته نشد: موضوع در صلاحیت شهرداری نیست.\n{person.shown_code}\n{office}")
        scene.inbox("refused", "شکایت شما پذیرفته نشد: موضوع در صلاحیت شهرداری نیست.")
    else:
        text = "Your complaint was not accepted. It is outside the municipality's remit."
        scene.sms("refused", f"{text}\n{person.shown_code}\n{office}")
        scene.inbox("refused", text)


def test_a_refusal_for_a_reason_of_the_offices_own(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    named: dict[str, Any] = {"reason_fa": "مهر ندارد", "reason_en": "It bears no stamp"}
    scene.wire.event(person.event(tracking.CaseRefused, Stage.REFUSED, reason="no_stamp", **named))
    if scene.language is FA:
        scene.sms("refused", f"شکایت شما پذیرفته نشد: مهر ندارد.\n{person.shown_code}\n{office}")
        scene.inbox("refused", "شکایت شما پذیرفته نشد: مهر ندارد.")
    else:
        scene.sms("refused", f"Your complaint was not accepted. It bears no stamp.\n{person.shown_code}\n{office}")
        scene.inbox("refused", "Your complaint was not accepted. It bears no stamp.")


def test_a_merger(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    scene.wire.event(person.event(tracking.CaseMerged, Stage.MERGED, into=uuid4()))
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


def test_the_outcome_of_the_case_that_it_was_merged_into(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    event = person.event(tracking.JoinedCaseDecided, Stage.MERGED, outcome="upheld")
    scene.wire.event(event)
    scene.wire.event(event)
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


def test_the_refusal_of_the_case_that_it_was_merged_into(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    names: dict[str, Any] = {"reason_fa": "در صلاحیت نیست", "reason_en": "Outside the remit"}
    event = person.event(tracking.JoinedCaseRefused, Stage.MERGED, reason="outside_remit", **names)
    scene.wire.event(event)
    scene.wire.event(event)
    if scene.language is FA:
        text = "پرونده‌ای که شکایت شما به آن پیوسته است پذیرفته نشد: در صلاحیت نیست."
    else:
        text = "The case your complaint was joined to was not accepted. Outside the remit."
    scene.sms("joined_refused", f"{text}\n{person.shown_code}\n{office}")
    scene.inbox("joined_refused", text)


def test_a_merged_case_that_is_its_own_again(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    event = person.event(tracking.CaseReopened, Stage.SCREENING)
    scene.wire.event(event)
    scene.wire.event(event)
    if scene.language is FA:
        text = "پرونده‌ای که شکایت شما به آن پیوسته بود بی‌نتیجه ماند. کار شما جداگانه رسیدگی می‌شود."
    else:
        text = "The case your complaint was joined to ended without a result. Your complaint is now handled by itself."
    scene.sms("reopened", f"{text}\n{person.shown_code}\n{office}")
    scene.inbox("reopened", text)


def test_a_withdrawal(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    scene.wire.event(person.withdrawn())
    if scene.language is FA:
        text = "بنا به درخواست شما، رسیدگی به شکایت شما پایان یافت."
    else:
        text = "As you asked, your complaint was withdrawn."
    scene.sms("withdrawn", f"{text}\n{person.shown_code}\n{office}")
    scene.inbox("withdrawn", text)


def test_a_new_code_in_place_of_one_that_was_taken(scene: Scene) -> None:
    person, office = scene.person, OFFICE[scene.language]
    open_case(scene)
    scene.wire.event(person.recoded())
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


def test_a_one_time_code(scene: Scene, keys: Keys) -> None:
    scene.wire.event(one_time_code(keys, scene.person.phone, "531864", scene.language, now() + timedelta(minutes=5)))
    if scene.language is FA:
        text = "کد ورود به پیگیر: 531864\nتا ۵ دقیقه معتبر است؛ لطفاً به کسی نگویید."
    else:
        text = "Your Peygir sign-in code: 531864\nIt is valid for 5 minutes. Please tell it to no one."
    scene.sms("one_time_code", text, "handset")


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
    told = f"نتیجه رسیدگی: سازش\n{office}" if scene.language is FA else f"Result: Settled\n{office}"
    scene.sms("status_decided", told, "handset")

    another = Person(keys, scene.language)
    wire.command(person.texts(another.code))
    if scene.language is FA:
        told = f"درخواست شما رسیده و در حال ثبت است. لطفاً کمی بعد دوباره کد را بفرستید.\n{office}"
    else:
        told = f"Your submission has arrived and is being registered. Please send the code again shortly.\n{office}"
    scene.sms("still_registering", told, "handset")

    wire.command(person.texts("1234567890123456"))
    if scene.language is FA:
        told = f"این کد رهگیری درست نیست. لطفاً ۱۶ رقم آن را دوباره بررسی کنید و بفرستید.\n{office}"
    else:
        told = f"This tracking code is not right. Please check its 16 digits and send it again.\n{office}"
    scene.sms("code_not_found", told, "handset")


def test_a_handset_answers_the_decision(scene: Scene) -> None:
    person, wire, office = scene.person, scene.wire, OFFICE[scene.language]
    open_case(scene)
    wire.event(person.decided("upheld", until=now().date() - timedelta(days=2)))
    scene.sms("decided", scene.simulator.messages(person.phone, after=scene._last, wait=20)[0]["text"])

    wire.command(person.texts("۲"))
    if scene.language is FA:
        told = f"مهلت اعتراض به این نتیجه پایان یافته است.\n{office}"
    else:
        told = f"The time to object to this result has passed.\n{office}"
    scene.sms("objection_closed", told, "handset")

    wire.command(person.texts("۱"))
    if scene.language is FA:
        told = f"از پاسخ شما سپاسگزاریم. نظر شما در بهبود خدمات به کار می‌آید.\n{office}"
    else:
        told = f"Thank you for your answer. It helps us serve better.\n{office}"
    scene.sms("rating_thanks", told, "handset")


def test_a_handset_says_something_else(scene: Scene) -> None:
    open_case(scene)
    scene.wire.command(scene.person.texts("سلام، چه خبر؟"))
    if scene.language is FA:
        told = f"برای آگاهی از وضعیت پرونده، کد رهگیری ۱۶ رقمی خود را به همین شماره بفرستید.\n{OFFICE[FA]}"
    else:
        told = f"To learn the state of your case, send its 16-digit tracking code to this number.\n{OFFICE[EN]}"
    scene.sms("help", told, "handset")


def test_staff_are_told_in_their_own_inbox(scene: Scene, language: Language) -> None:
    person, wire = scene.person, scene.wire
    inspector, liaison, head = uuid4(), uuid4(), uuid4()
    tree = [Unit(code="city", parent=None, level="city", name_fa="شهر", name_en="City")]
    tree += [Unit(code="roads", parent="city", level="office", name_fa="راه", name_en="Roads")]
    catalogue = Catalogue(version=2 if language is FA else 3, units=tree, grounds=[])
    wire.event(CatalogueChanged(id=uuid4(), occurred_at=now(), catalogue=catalogue))
    for staff_id, role, unit in ((inspector, Role.INSPECTOR, None), (liaison, Role.LIAISON, "roads")):
        wire.event(
            StaffChanged(
                id=uuid4(),
                occurred_at=now(),
                staff_id=staff_id,
                version=1,
                display_name="کارمند",
                roles=[role],
                unit=unit,
                active=True,
            )
        )

    def actor(staff_id: object, role: Role, unit: str | None = None) -> Actor:
        return Actor(kind=ActorKind.STAFF, id=str(staff_id), roles=frozenset({role}), unit=unit, language=language)

    number = f"\u2066{person.number}\u2069" if language is FA else person.number
    day = DAY[language]
    fa = language is FA
    wire.event(person.registered())
    wire.event(person.opened())
    handled = {"handler": inspector}
    wire.event(person.event(tracking.CaseAssigned, Stage.INVESTIGATING, snapshot=handled))
    scene.staff(
        actor(inspector, Role.INSPECTOR),
        "inspector",
        "assigned",
        f"رسیدگی به پرونده {number} به شما سپرده شد. مهلت: {day}."
        if fa
        else f"Case {number} was assigned to you. Due by {day}.",
        person.number,
    )
    question = {"question_id": uuid4(), "unit_asked": "roads"}
    wire.event(person.event(tracking.UnitAsked, Stage.AWAITING_UNIT, snapshot=handled, due_on=EXPECTED, **question))
    scene.staff(
        actor(liaison, Role.LIAISON, "roads"),
        "liaison",
        "unit_asked",
        f"بازرسی از واحد شما پرسشی دارد. مهلت پاسخ: {day}."
        if fa
        else f"The inspection office has a question for your unit. Answer by {day}.",
        None,
    )
    wire.event(person.event(tracking.UnitAnswered, Stage.INVESTIGATING, snapshot=handled, **question))
    scene.staff(
        actor(inspector, Role.INSPECTOR),
        "inspector",
        "unit_answered",
        f"واحد به پرسش شما در پرونده {number} پاسخ داد."
        if fa
        else f"The unit has answered your question in case {number}.",
        person.number,
    )
    wire.event(person.event(tracking.CitizenAnswered, Stage.INVESTIGATING, snapshot=handled, question_id=uuid4()))
    scene.staff(
        actor(inspector, Role.INSPECTOR),
        "inspector",
        "citizen_answered",
        f"شهروند به پرسش شما در پرونده {number} پاسخ داد."
        if fa
        else f"The citizen has answered your question in case {number}.",
        person.number,
    )
    wire.event(person.event(tracking.CaseObjected, Stage.REVIEW))
    scene.staff(
        actor(head, Role.HEAD),
        "head",
        "objection_raised",
        f"به نتیجه پرونده {number} اعتراض شد. لطفاً آن را به بازرس دیگری بسپارید."
        if fa
        else f"An objection was raised in case {number}. Please assign it to another inspector.",
        person.number,
    )


def test_staff_are_told_what_the_calendar_brings(scene: Scene, language: Language) -> None:
    person, wire = scene.person, scene.wire
    inspector, screener, head = uuid4(), uuid4(), uuid4()

    def actor(staff_id: UUID, role: Role, unit: str | None = None) -> Actor:
        return Actor(kind=ActorKind.STAFF, id=str(staff_id), roles=frozenset({role}), unit=unit, language=language)

    people = {
        "inspector": actor(inspector, Role.INSPECTOR),
        "screener": actor(screener, Role.SCREENER),
        "head": actor(head, Role.HEAD),
        "liaison": actor(uuid4(), Role.LIAISON, "roads"),
        "mayor": actor(uuid4(), Role.LIAISON, "mayor"),
    }
    number = f"\u2066{person.number}\u2069" if language is FA else person.number
    wire.event(person.registered())
    wire.event(person.opened())
    warned, escalated = tracking.DeadlineWarned, tracking.CaseEscalated
    mine: dict[str, Any] = {"snapshot": {"handler": inspector}, "due_on": EXPECTED}
    nobodys: dict[str, Any] = {"due_on": EXPECTED}
    unit = {"step": "unit", "unit_asked": "roads"}
    told: list[tuple[Any, dict[str, Any], list[tuple[str, str]]]] = [
        (warned, {**nobodys, "step": "first_reading"}, [("screener", "reading_near")]),
        (escalated, {**nobodys, "step": "first_reading", "level": "head"}, [("head", "reading_late")]),
        (warned, {**nobodys, "step": "decision"}, [("screener", "deadline_near")]),
        (warned, {**mine, "step": "decision"}, [("inspector", "deadline_near")]),
        (escalated, {**mine, "step": "decision", "level": "head"}, [("head", "deadline_passed")]),
        (warned, {**mine, "step": "citizen"}, [("inspector", "citizen_silent")]),
        (warned, {**mine, **unit}, [("liaison", "answer_near")]),
        (escalated, {**mine, **unit, "level": "head"}, [("head", "unit_late"), ("inspector", "unit_late")]),
        (
            escalated,
            {**mine, "step": "decision", "level": "mayor", "to_unit": "mayor"},
            [("head", "sent_up"), ("mayor", "sent_up")],
        ),
    ]
    recommendation: dict[str, Any] = {"recommendation_id": uuid4(), "unit_asked": "roads"}
    decided: dict[str, Any] = {"outcome": Outcome.UPHELD, "recommended_to": "roads"}
    told += [
        (tracking.DecisionProposed, mine, [("head", "decision_proposed")]),
        (tracking.ProposalReturned, mine, [("inspector", "proposal_returned")]),
        (tracking.CaseDecided, {**mine, **decided}, [("liaison", "recommended")]),
        (
            tracking.RecommendationReported,
            {**mine, **recommendation, "done": True},
            [("inspector", "recommendation_reported"), ("head", "recommendation_reported")],
        ),
        (
            tracking.RecommendationSettled,
            {**mine, **recommendation, "now": "open"},
            [("liaison", "recommendation_sent_back")],
        ),
        (
            escalated,
            {**mine, "step": "recommendation", "level": "head", "unit_asked": "roads"},
            [("head", "recommendation_late"), ("liaison", "recommendation_overdue")],
        ),
    ]
    told += [
        (tracking.NoteAdded, {**mine, "mentions": [people["screener"].id]}, [("screener", "mentioned")]),
        (tracking.CaseReminded, {**mine, "staff": inspector}, [("inspector", "reminded")]),
        (tracking.CaseReopened, {}, [("screener", "reopened_for_staff")]),
    ]
    for event, fields, readers in told:
        wire.event(person.event(event, Stage.INVESTIGATING, **fields))
        for audience, template in readers:
            text = CALENDAR[template][language].format(number=number, day=DAY[language])
            known = None if audience == "liaison" else person.number
            scene.staff(people[audience], audience, template, text, known)
            if template in ("mentioned", "reminded"):
                seen.add(("mentioned", "inbox", template))


CALENDAR = {
    "reopened_for_staff": {
        FA: "پرونده‌ای که پرونده {number} به آن پیوسته بود بی‌نتیجه پایان یافت؛ {number} دوباره در انتظار غربالگری است.",
        EN: "The case that {number} was merged into ended without a result; {number} waits for screening again.",
    },
    "reading_near": {
        FA: "پرونده {number} هنوز خوانده نشده است. مهلت بررسی اولیه: {day}.",
        EN: "Case {number} has not been read yet. First reading due by {day}.",
    },
    "reading_late": {
        FA: "پرونده {number} در مهلت بررسی اولیه خوانده نشد.",
        EN: "Case {number} was not read within the time for a first reading.",
    },
    "deadline_near": {
        FA: "مهلت رسیدگی به پرونده {number} رو به پایان است: {day}.",
        EN: "The time for case {number} is nearly over. Due by {day}.",
    },
    "deadline_passed": {
        FA: "مهلت رسیدگی به پرونده {number} گذشته است: {day}.",
        EN: "The time for case {number} is over. It was due by {day}.",
    },
    "citizen_silent": {
        FA: "شهروند در مهلت خود به پرسش شما در پرونده {number} پاسخ نداد. می‌توانید رسیدگی را ادامه دهید.",
        EN: "The citizen has not answered your question in case {number} in time. You may go on.",
    },
    "answer_near": {
        FA: "مهلت پاسخ واحد شما به پرسش بازرسی رو به پایان است: {day}.",
        EN: "The time for your unit's answer to the inspection office is nearly over. Answer by {day}.",
    },
    "unit_late": {
        FA: "واحد در مهلت خود به پرسش بازرس در پرونده {number} پاسخ نداد: {day}.",
        EN: "The unit has not answered the inspector's question in case {number}. It was due by {day}.",
    },
    "mentioned": {
        FA: "در یادداشتی از پرونده {number} از شما نام برده شد.",
        EN: "You were mentioned in a note of case {number}.",
    },
    "reminded": {FA: "یادآوری: پرونده {number}.", EN: "Reminder: case {number}."},
    "decision_proposed": {
        FA: "نتیجه پیشنهادی پرونده {number} در انتظار تأیید شماست.",
        EN: "The decision proposed in case {number} waits for your approval.",
    },
    "proposal_returned": {
        FA: "نتیجه پیشنهادی شما برای پرونده {number} بازگردانده شد.",
        EN: "The decision you proposed in case {number} was returned to you.",
    },
    "recommended": {
        FA: "بازرسی به واحد شما پیشنهادهایی داده است. لطفاً انجام یا دلیل انجام نشدن هر یک را گزارش کنید.",
        EN: (
            "The inspection office has made recommendations to your unit. "
            "Please report each as done, or declined with its reason."
        ),
    },
    "recommendation_reported": {
        FA: "واحد درباره پیشنهاد پرونده {number} گزارش داد. لطفاً آن را بررسی کنید.",
        EN: "The unit has reported on a recommendation of case {number}. Please look at it.",
    },
    "recommendation_sent_back": {
        FA: "گزارش واحد شما درباره یک پیشنهاد بازرسی پذیرفته نشد.",
        EN: "Your unit's report on a recommendation of the inspection office was not accepted.",
    },
    "recommendation_late": {
        FA: "پیشنهاد پرونده {number} در مهلت خود انجام نشد: {day}.",
        EN: "A recommendation of case {number} was not carried out in time. It was due by {day}.",
    },
    "recommendation_overdue": {
        FA: "مهلت انجام یک پیشنهاد بازرسی به واحد شما گذشته است: {day}.",
        EN: "The time for a recommendation to your unit is over. It was due by {day}.",
    },
    "sent_up": {
        FA: "پرونده {number} که مهلت آن {day} بود به حوزه شهردار گزارش شد.",
        EN: "Case {number}, due by {day}, was reported to the mayor's office.",
    },
}


def test_a_citizen_is_told_of_a_visit_and_its_inspector_too(scene: Scene) -> None:
    person, wire, office, code = scene.person, scene.wire, OFFICE[scene.language], scene.person.shown_code
    fa = scene.language is FA
    open_case(scene)
    inspector = uuid4()
    at = datetime(2076, 12, 5, 6, 0, tzinfo=UTC)  # a reminder that comes too late is not sent
    when, place = ("۱۴۵۵/۰۹/۱۵ ساعت ۰۹:۳۰", "اتاق ۱") if fa else ("1455/09/15 at 09:30", "Room 1")
    timed = {"slot_id": uuid4(), "starts_at": at, "place_fa": "اتاق ۱", "place_en": "Room 1"}
    number = f"\u2066{person.number}\u2069" if fa else person.number

    def happens(cls: type[tracking.VisitEvent], **more: object) -> None:
        handled = {"handler": inspector}
        wire.event(person.event(cls, Stage.INVESTIGATING, snapshot=handled, visit_id=uuid4(), **more))

    def told(template: str, sms: str, inbox: str) -> None:
        scene.sms(template, f"{sms}\n{code}\n{office}")
        scene.inbox(template, inbox)

    def staff(template: str, text: str) -> None:
        reader = Actor(
            kind=ActorKind.STAFF, id=str(inspector), roles=frozenset({Role.INSPECTOR}), language=scene.language
        )
        scene.staff(reader, "inspector", template, text, person.number)

    happens(tracking.VisitAsked)
    staff(
        "visit_asked_for_staff",
        f"شهروند پرونده {number} مراجعه حضوری خواسته است." if fa else f"The citizen of case {number} asks for a visit.",
    )
    happens(tracking.VisitOffered)
    told(
        "visit_offered",
        "برای مراجعه حضوری شما وقت‌هایی پیشنهاد شده است. لطفاً با این کد یکی را برگزینید:"
        if fa
        else "Times are offered for your visit. Please choose one with this code:",
        "برای مراجعه حضوری شما وقت‌هایی پیشنهاد شده است. یکی را برگزینید."
        if fa
        else "Times are offered for your visit. Please choose one.",
    )
    for cls, template, more, words in (
        (tracking.VisitBooked, "visit_booked", {}, "وقت مراجعه شما: " if fa else "Your visit: "),
        (tracking.VisitMoved, "visit_moved", {}, "وقت تازه مراجعه شما: " if fa else "Your visit is moved to "),
        (
            tracking.VisitReminded,
            "visit_tomorrow",
            {"before": "day"},
            "یادآوری مراجعه شما: " if fa else "A reminder of your visit: ",
        ),
        (
            tracking.VisitReminded,
            "visit_soon",
            {"before": "hours"},
            "مراجعه شما نزدیک است: " if fa else "Your visit is soon: ",
        ),
    ):
        happens(cls, **timed, **more)
        told(template, f"{words}{when}\n{place}", f"{words}{when}{'،' if fa else ','} {place}.")
        if cls is tracking.VisitBooked:
            staff(
                "visit_booked_for_staff",
                f"مراجعه پرونده {number}: {when}، {place}." if fa else f"Visit in case {number}: {when}, {place}.",
            )
        if cls is tracking.VisitMoved:
            staff(
                "visit_moved_for_staff",
                f"مراجعه پرونده {number} به {when}، {place} جابه‌جا شد."
                if fa
                else f"The visit in case {number} is moved to {when}, {place}.",
            )
    happens(tracking.VisitCancelled, **timed, by="office")
    told(
        "visit_called_off",
        f"مراجعه {when} برگزار نمی‌شود. لطفاً با این کد وقت دیگری برگزینید:"
        if fa
        else f"Your visit of {when} cannot take place. Please choose another time with this code:",
        f"مراجعه {when} برگزار نمی‌شود. لطفاً وقت دیگری برگزینید."
        if fa
        else f"Your visit of {when} cannot take place. Please choose another time.",
    )
    happens(tracking.VisitCancelled, **timed, by="ended")
    ended = (
        f"رسیدگی پایان یافت و مراجعه {when} لازم نیست."
        if fa
        else f"Your case has ended; the visit of {when} is not needed."
    )
    told("visit_not_needed", ended, ended)
    happens(tracking.VisitCancelled, **timed, by="citizen")
    scene.inbox("visit_cancelled", "درخواست مراجعه شما پس گرفته شد." if fa else "Your visit is cancelled.")
    staff(
        "visit_cancelled_for_staff",
        f"شهروند پرونده {number} مراجعه را لغو کرد." if fa else f"The citizen of case {number} cancelled the visit.",
    )
    happens(tracking.VisitMissed, **timed)
    scene.inbox(
        "visit_missed",
        "در وقت مراجعه شما را ندیدیم. اگر هنوز لازم است، دوباره درخواست دهید."
        if fa
        else "We did not see you at the time of your visit. If it is still needed, ask again.",
    )


def test_custodians_and_who_asked_are_told_of_an_identity_and_not_of_which_case(
    scene: Scene, language: Language
) -> None:
    fa, person = language is FA, scene.person
    asker = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}), language=language)
    custodian = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.CUSTODIAN}), language=language)
    about = {"case_id": person.case_id, "request_id": uuid4(), "kind": Kind.COMPLAINT, "asked_by": UUID(asker.id)}

    def happens(event: type[IdentityEvent], **more: Any) -> None:
        made = event.model_validate({"id": uuid4(), "occurred_at": now(), **about, **more})
        scene.wire.event(made)
        scene.wire.event(made)  # twice heard is once told

    happens(IdentityAsked)
    needed = "دیدن هویت ثبت‌کننده یک شکایت به موافقت شما نیاز دارد."
    waits = "A request to see who filed a complaint waits for your consent."
    scene.staff(custodian, "custodian", "identity_asked", needed if fa else waits, None)
    happens(IdentityDecided, open_until=now())
    given = "با دیدن هویت ثبت‌کننده یک شکایت که خواسته بودید موافقت شد."
    consented = "Your request to see who filed a complaint was consented to."
    scene.staff(asker, "asker", "identity_consented", given if fa else consented, None)
    happens(IdentityDecided)
    kept = "با دیدن هویت ثبت‌کننده یک شکایت که خواسته بودید موافقت نشد."
    scene.staff(
        asker, "asker", "identity_kept", kept if fa else "Your request to see who filed a complaint was refused.", None
    )
    items = scene.wire.ask("notify", "list_messages", ListMessages(actor=asker))["items"]
    told = [item["template"] for item in items if item["case_id"] == str(person.case_id)]
    assert told == ["identity_kept", "identity_consented"]


def test_a_citizen_is_told_of_refused_files_and_texted_of_the_first_alone(scene: Scene) -> None:
    person, wire, office, fa = scene.person, scene.wire, OFFICE[scene.language], scene.language is FA
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
        wire.event(person.event(tracking.EvidenceRefused, Stage.SCREENING, media=["A" * 22], first=first))
        if first:
            scene.sms("evidence_refused", f"{sms}\n{person.shown_code}\n{office}")
        scene.inbox("evidence_refused", text)

    def both_are_read() -> bool:
        items = wire.ask("notify", "list_messages", ListMessages(code_hashes=[person.code_hash]))["items"]
        return [item["template"] for item in items] == ["evidence_refused", "evidence_refused", "registered"]

    eventually(both_are_read)
    wire.event(person.asked())
    asked = (
        "برای ادامه رسیدگی به پاسخ شما نیاز داریم. لطفاً با این کد در سامانه پیگیر پاسخ دهید:"
        if fa
        else "We need your answer to go on with your case. Please answer on the Peygir site with this code:"
    )
    scene.sms("question_asked", f"{asked}\n{person.shown_code}\n{office}")  # the next one: of the second file, none


def test_whoever_has_the_case_is_told_what_the_citizen_sent_and_not_what_the_office_did(scene: Scene) -> None:
    person, wire, fa = scene.person, scene.wire, scene.language is FA
    inspector, screener = (
        Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role}), language=scene.language)
        for role in (Role.INSPECTOR, Role.SCREENER)
    )
    number = f"\u2066{person.number}\u2069" if fa else person.number
    text = (
        f"شهروند برای پرونده {number} مدرک تازه‌ای فرستاد."
        if fa
        else f"The citizen has sent more evidence for case {number}."
    )
    wire.event(person.registered())
    wire.event(person.opened())

    def added(stage: Stage, handler: UUID | None, by_citizen: bool) -> None:
        more = {"uploads": ["A" * 22], "by_citizen": by_citizen}
        wire.event(person.event(tracking.EvidenceAdded, stage, snapshot={"handler": handler}, **more))

    def of_this_case(reader: Actor) -> list[str]:
        items = wire.ask("notify", "list_messages", ListMessages(actor=reader))["items"]
        return [item["template"] for item in items if item["case_id"] == str(person.case_id)]

    added(Stage.SCREENING, None, False)
    added(Stage.SCREENING, None, True)
    scene.staff(screener, "screener", "evidence_sent", text, person.number)
    added(Stage.INVESTIGATING, UUID(inspector.id), False)
    added(Stage.INVESTIGATING, UUID(inspector.id), True)
    scene.staff(inspector, "inspector", "evidence_sent", text, person.number)
    assert of_this_case(screener) == of_this_case(inspector) == ["evidence_sent"]


def test_whose_account_others_try_is_told_so(scene: Scene, language: Language) -> None:
    owner = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.SCREENER}), language=language)
    noted = SignInFailuresNoted(id=uuid4(), occurred_at=now(), staff_id=UUID(owner.id), failures=5)
    scene.wire.event(noted)
    if language is FA:
        text = (
            "چند بار پیاپی با نام کاربری شما و گذرواژه یا کد ورود نادرست برای ورود تلاش شده است. اگر شما نبوده‌اید، "
            "به راهبر سامانه خبر دهید. با دستگاهی که پیش‌تر با آن وارد شده‌اید همچنان می‌توانید وارد شوید."
        )
    else:
        text = (
            "Somebody tried several times in a row to sign in under your user name with a wrong password or code. "
            "If it was not you, tell the administrator. You can still sign in with a device that you signed in with before."
        )
    scene.staff(owner, "account_owner", "sign_in_failures", text, None)


def test_custodians_are_told_of_every_change_that_takes_two_administrators(scene: Scene, language: Language) -> None:
    fa, wire = language is FA, scene.wire
    custodian, administrator = (
        Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role}), language=language)
        for role in (Role.CUSTODIAN, Role.ADMINISTRATOR)
    )
    username = f"head-{language}"
    account = f"\u2066{username}\u2069" if fa else username
    asker, decider = ("مریم کاظمی", "رضا نادری") if fa else ("Maryam Kazemi", "Reza Naderi")
    who = f"{account} (مدیر بازرسی)" if fa else f"{account} (head of inspection)"
    both = f"{account} (مدیر بازرسی، امین هویت)" if fa else f"{account} (head of inspection, custodian of identities)"
    asked = {"asked_by": uuid4(), "asked_by_name": asker}
    decided = {"decided_by": uuid4(), "decided_by_name": decider}
    told: list[str] = []

    def happens(event: type[StaffChangeEvent], action: str, roles: list[Role], **more: Any) -> None:
        about = {"change_id": uuid4(), "staff_id": uuid4(), "action": action, "username": username, "roles": roles}
        made = event.model_validate({"id": uuid4(), "occurred_at": now(), **about, **more})
        wire.event(made)
        wire.event(made)  # twice heard is once told

    def custodians(template: str, in_fa: str, in_en: str) -> None:
        scene.staff(custodian, "custodian", template, in_fa if fa else in_en, None)
        told.append(template)

    def waits(whose: str) -> None:
        text = (
            f"{asker} تغییر حساب {whose} را خواسته است و تأیید راهبر دیگری لازم است."
            if fa
            else f"{asker} asked for a change of the account {whose}; it needs another administrator's confirmation."
        )
        scene.staff(administrator, "administrator", "staff_change_waits", text, None)

    happens(StaffChangeRequested, "add", [Role.HEAD], **asked)
    custodians(
        "staff_grant_requested",
        f"{asker} برای حساب {account} نقش خواسته است: مدیر بازرسی. پیش از تأیید راهبر دوم اثری ندارد.",
        f"{asker} asked for these roles for the account {account}: head of inspection. "
        "It has no effect until a second administrator confirms.",
    )
    waits(who)
    happens(StaffChangeRequested, "reset_credentials", [Role.HEAD, Role.CUSTODIAN], **asked)
    custodians(
        "staff_reset_requested",
        f"{asker} برای حساب {both} گذرواژه و کد ورود تازه خواسته است. پیش از تأیید راهبر دوم اثری ندارد.",
        f"{asker} asked for a new password and sign-in codes of the account {both}. "
        "It has no effect until a second administrator confirms.",
    )
    waits(both)
    happens(StaffChangeDecided, "add", [Role.HEAD], **asked, **decided, state=StaffChangeState.CONFIRMED)
    custodians(
        "staff_change_confirmed",
        f"تغییر حساب {who} که {asker} خواسته بود به تأیید {decider} رسید و انجام شد.",
        f"The change of the account {who} that {asker} asked for was confirmed by {decider} and is done.",
    )
    happens(StaffChangeDecided, "add", [Role.HEAD], **asked, **decided, state=StaffChangeState.DENIED)
    custodians(
        "staff_change_denied",
        f"تغییر حساب {who} که {asker} خواسته بود با مخالفت {decider} روبه‌رو شد و انجام نشد.",
        f"The change of the account {who} that {asker} asked for was denied by {decider}; nothing was changed.",
    )
    for state, whose, roles in (
        (StaffChangeState.CANCELLED, who, [Role.HEAD]),
        (StaffChangeState.EXPIRED, both, [Role.HEAD, Role.CUSTODIAN]),
    ):
        happens(StaffChangeDecided, "change", roles, **asked, state=state)
        custodians(
            "staff_change_dropped",
            f"تغییر حساب {whose} که {asker} خواسته بود پس گرفته شد یا مهلت آن گذشت، و انجام نشد.",
            f"The change of the account {whose} that {asker} asked for was withdrawn or not confirmed in time; "
            "nothing was changed.",
        )
    happens(StaffChangeDecided, "add", [Role.HEAD], state=StaffChangeState.CONFIRMED)
    custodians(
        "staff_change_on_server",
        f"حساب {who} با فرمانی روی سرور ساخته یا تغییر داده شد.",
        f"The account {who} was made or changed by a command on the server.",
    )

    def of_this_account(reader: Actor) -> list[str]:
        items = wire.ask("notify", "list_messages", ListMessages(actor=reader))["items"]
        return [item["template"] for item in reversed(items) if username in item["text"]]

    assert of_this_account(custodian) == told
    assert of_this_account(administrator) == ["staff_change_waits", "staff_change_waits"]


def test_every_line_of_the_table_was_read_above() -> None:
    wanted = {(route.audience, route.channel, route.template) for route in table().routes}
    assert wanted - seen == set()


def test_the_log_holds_no_code_no_mobile_and_no_key(notify: ServiceProcess, environment: dict[str, str]) -> None:
    log = Path(notify.log).read_text()
    assert "+98912" not in log
    assert "0912" not in log
    assert environment["KAVENEGAR_API_KEY"] not in log
