"""Notifications of staff about cases and deadlines, word for word, in fa and en."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from contracts import tracking
from contracts.accounts import StaffChanged
from contracts.base import now
from contracts.desk import SubmissionDisowned
from contracts.gateway import Actor
from contracts.intake import Catalogue, CatalogueChanged, Unit
from contracts.notify import ListMessages
from contracts.vocabulary import ActorKind, Language, Outcome, Role, Stage
from services.notify.notifications.of_cases import STAFF_OF_A_CASE
from services.notify.notifications.of_deadlines import DEADLINES
from tests.component.notify_words.scene import DAY, EN, FA, Scene, seen, unread
from tests.support.notify import EXPECTED


def test_staff_are_notified_in_their_own_inbox(scene: Scene, language: Language) -> None:
    person, broker_client = scene.person, scene.broker_client
    inspector, liaison, head = uuid4(), uuid4(), uuid4()
    tree = [Unit(code="city", parent=None, level="city", name_fa="شهر", name_en="City")]
    tree += [Unit(code="roads", parent="city", level="office", name_fa="راه", name_en="Roads")]
    catalogue = Catalogue(version=2 if language is FA else 3, units=tree, grounds=[])
    broker_client.publish_event(CatalogueChanged(id=uuid4(), occurred_at=now(), catalogue=catalogue))
    for staff_id, role, unit in ((inspector, Role.INSPECTOR, None), (liaison, Role.LIAISON, "roads")):
        broker_client.publish_event(
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
    broker_client.publish_event(person.registered())
    broker_client.publish_event(person.opened())
    handled = {"handler": inspector}
    broker_client.publish_event(person.event(tracking.CaseAssigned, Stage.INVESTIGATING, snapshot=handled))
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
    broker_client.publish_event(
        person.event(tracking.UnitAsked, Stage.AWAITING_UNIT, snapshot=handled, due_on=EXPECTED, **question)
    )
    scene.staff(
        actor(liaison, Role.LIAISON, "roads"),
        "liaison",
        "unit_asked",
        f"بازرسی از واحد شما پرسشی دارد. مهلت پاسخ: {day}."
        if fa
        else f"The inspection office has a question for your unit. Answer by {day}.",
        None,
    )
    broker_client.publish_event(person.event(tracking.UnitAnswered, Stage.INVESTIGATING, snapshot=handled, **question))
    scene.staff(
        actor(inspector, Role.INSPECTOR),
        "inspector",
        "unit_answered",
        f"واحد به پرسش شما در پرونده {number} پاسخ داد."
        if fa
        else f"The unit has answered your question in case {number}.",
        person.number,
    )
    broker_client.publish_event(
        person.event(tracking.CitizenAnswered, Stage.INVESTIGATING, snapshot=handled, question_id=uuid4())
    )
    scene.staff(
        actor(inspector, Role.INSPECTOR),
        "inspector",
        "citizen_answered",
        f"شهروند به پرسش شما در پرونده {number} پاسخ داد."
        if fa
        else f"The citizen has answered your question in case {number}.",
        person.number,
    )
    broker_client.publish_event(person.event(tracking.CaseObjected, Stage.REVIEW))
    scene.staff(
        actor(head, Role.HEAD),
        "head",
        "objection_raised",
        f"به نتیجه پرونده {number} اعتراض شد. لطفاً آن را به بازرس دیگری بسپارید."
        if fa
        else f"An objection was raised in case {number}. Please assign it to another inspector.",
        person.number,
    )


def test_staff_are_notified_of_deadlines_and_decisions(scene: Scene, language: Language) -> None:
    person, broker_client = scene.person, scene.broker_client
    inspector, screener, head = uuid4(), uuid4(), uuid4()

    def actor(staff_id: UUID, role: Role, unit: str | None = None) -> Actor:
        return Actor(kind=ActorKind.STAFF, id=str(staff_id), roles=frozenset({role}), unit=unit, language=language)

    people = {
        "inspector": actor(inspector, Role.INSPECTOR),
        "screener": actor(screener, Role.SCREENER),
        "head": actor(head, Role.HEAD),
        "liaison": actor(uuid4(), Role.LIAISON, "roads"),
        "mayor": actor(uuid4(), Role.LIAISON, "mayor"),
        "colleague": actor(uuid4(), Role.INSPECTOR),
    }
    colleague = {"colleague": people["colleague"].id, "asked_by": inspector}
    number = f"\u2066{person.number}\u2069" if language is FA else person.number
    broker_client.publish_event(person.registered())
    broker_client.publish_event(person.opened())
    warned, escalated = tracking.DeadlineWarned, tracking.CaseEscalated
    mine: dict[str, Any] = {"snapshot": {"handler": inspector}, "due_on": EXPECTED}
    nobodys: dict[str, Any] = {"due_on": EXPECTED}
    unit = {"step": "unit", "unit_asked": "roads"}
    steps: list[tuple[Any, dict[str, Any], list[tuple[str, str]]]] = [
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
    steps += [
        (tracking.DecisionProposed, mine, [("head", "decision_proposed")]),
        (tracking.ProposalReturned, mine, [("inspector", "proposal_returned")]),
        (tracking.ProposalReturned, nobodys, [("screener", "settlement_returned")]),
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
    steps += [
        (tracking.NoteAdded, {**mine, "mentions": [people["screener"].id]}, [("screener", "mentioned")]),
        (tracking.CaseReminded, {**mine, "staff": inspector}, [("inspector", "reminded")]),
        (tracking.CaseReopened, {}, [("screener", "reopened_for_staff")]),
        *(
            (tracking.ColleaguesChanged, {**mine, "what": what, **colleague}, [(audience, what)])
            for what, audience in (
                ("co_handler_added", "colleague"),
                ("co_handler_removed", "colleague"),
                ("colleague_consulted", "colleague"),
                ("consultation_answered", "inspector"),
                ("consultation_ended", "colleague"),
            )
        ),
    ]
    steps += [
        (tracking.CaseUnanswered, {**mine, "object_until": EXPECTED}, [("inspector", "closed_unanswered_for_staff")]),
        (tracking.CaseResumed, mine, [("inspector", "resumed_for_staff"), ("head", "reopened_by_citizen")]),
        (
            tracking.CitizenAnswered,
            {"snapshot": {"previous_stage": Stage.CLOSED}, "question_id": uuid4()},
            [("head", "reopened_by_citizen")],
        ),
    ]
    for event, fields, readers in steps:
        broker_client.publish_event(person.event(event, Stage.INVESTIGATING, **fields))
        for audience, template in readers:
            text = CALENDAR[template][language].format(number=number, day=DAY[language])
            number_shown = None if audience == "liaison" else person.number
            scene.staff(people[audience], audience, template, text, number_shown)
            if template in ("mentioned", "reminded"):
                seen.add(("mentioned", "inbox", template))


CALENDAR = {
    "closed_unanswered_for_staff": {
        FA: "شهروند به پرسش شما در پرونده {number} پاسخ نداد و پرونده بسته شد. پاسخ او در مهلت اعتراض آن را باز می‌کند.",
        EN: (
            "The citizen did not answer your question in case {number}, and it was closed. "
            "An answer within the time for objection reopens it."
        ),
    },
    "resumed_for_staff": {
        FA: "شهروند خواسته است که رسیدگی به پرونده {number} ادامه یابد. این پرونده دوباره باز است.",
        EN: "The citizen wants case {number} to go on. It is open again.",
    },
    "reopened_by_citizen": {
        FA: "پرونده {number} که بی‌پاسخ بسته شده بود با پیام شهروند دوباره باز شد.",
        EN: "Case {number}, which was closed as unanswered, is open again by a message of the citizen.",
    },
    "co_handler_added": {
        FA: "شما بازرس همکار پرونده {number} شدید.",
        EN: "You are now the second inspector on case {number}.",
    },
    "co_handler_removed": {
        FA: "شما دیگر بازرس همکار پرونده {number} نیستید.",
        EN: "You are no longer the second inspector on case {number}.",
    },
    "colleague_consulted": {
        FA: "درباره پرونده {number} از شما مشورت خواسته‌اند. تا پاسخ ندهید، پرونده را می‌بینید.",
        EN: "Your advice is asked for on case {number}. You see the case until you answer.",
    },
    "consultation_answered": {
        FA: "همکارتان به پرسش درباره پرونده {number} پاسخ داد.",
        EN: "Your colleague has answered the question on case {number}.",
    },
    "consultation_ended": {
        FA: "دیگر به مشورت شما درباره پرونده {number} نیازی نیست.",
        EN: "Your advice on case {number} is no longer needed.",
    },
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
    "settlement_returned": {
        FA: "سازش پیشنهادی در نخستین بررسی پرونده {number} بازگردانده شد.",
        EN: "The early settlement proposed in case {number} was returned.",
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


def test_the_handler_is_notified_of_evidence_from_the_citizen_but_not_from_the_office(scene: Scene) -> None:
    person, broker_client, fa = scene.person, scene.broker_client, scene.language is FA
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
    broker_client.publish_event(person.registered())
    broker_client.publish_event(person.opened())

    def added(stage: Stage, handler: UUID | None, by_citizen: bool) -> None:
        more = {"uploads": ["A" * 22], "by_citizen": by_citizen}
        broker_client.publish_event(person.event(tracking.EvidenceAdded, stage, snapshot={"handler": handler}, **more))

    def of_this_case(reader: Actor) -> list[str]:
        items = broker_client.call("notify", "list_messages", ListMessages(actor=reader))["items"]
        return [item["template"] for item in items if item["case_id"] == str(person.case_id)]

    added(Stage.SCREENING, None, False)
    added(Stage.SCREENING, None, True)
    scene.staff(screener, "screener", "evidence_sent", text, person.number)
    added(Stage.INVESTIGATING, UUID(inspector.id), False)
    added(Stage.INVESTIGATING, UUID(inspector.id), True)
    scene.staff(inspector, "inspector", "evidence_sent", text, person.number)
    assert of_this_case(screener) == of_this_case(inspector) == ["evidence_sent"]


def test_who_has_the_case_is_notified_of_what_its_citizen_writes_and_corrects(scene: Scene) -> None:
    person, broker_client, fa = scene.person, scene.broker_client, scene.language is FA
    inspector, screener = (
        Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role}), language=scene.language)
        for role in (Role.INSPECTOR, Role.SCREENER)
    )
    number = f"\u2066{person.number}\u2069" if fa else person.number
    written = f"شهروند در پرونده {number} پیامی نوشت." if fa else f"The citizen has written a message in case {number}."
    corrected = (
        f"شهروند چیزی را که برای پرونده {number} فرستاده بود اصلاح کرد یا پس گرفت."
        if fa
        else f"The citizen has corrected or taken back something they had sent for case {number}."
    )
    broker_client.publish_event(person.registered())
    broker_client.publish_event(person.opened())
    nobody: dict[str, Any] = {"handler": None}
    handled: dict[str, Any] = {"handler": UUID(inspector.id)}
    broker_client.publish_event(
        person.event(tracking.MessageSent, Stage.SCREENING, snapshot=nobody, message_id=uuid4())
    )
    scene.staff(screener, "screener", "message_sent", written, person.number)
    broker_client.publish_event(
        person.event(tracking.MessageSent, Stage.INVESTIGATING, snapshot=handled, message_id=uuid4())
    )
    scene.staff(inspector, "inspector", "message_sent", written, person.number)
    broker_client.publish_event(
        person.event(tracking.CitizenCorrected, Stage.INVESTIGATING, snapshot=handled, what="message")
    )
    scene.staff(inspector, "inspector", "citizen_corrected", corrected, person.number)


def test_the_operator_is_notified_of_a_filing_that_is_disowned(scene: Scene) -> None:
    person, broker_client, fa = scene.person, scene.broker_client, scene.language is FA
    operator = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.OPERATOR}), language=scene.language)
    broker_client.publish_event(person.registered())
    disowned = SubmissionDisowned(
        id=uuid4(), occurred_at=now(), case_id=person.case_id, filed_by=UUID(operator.id), attempt=0
    )
    broker_client.publish_event(disowned)
    text = (
        "کسی که شماره همراه شکایت ثبت‌شده به دست شما را دارد، گفت آن درخواست از او نیست. شماره را با شهروند بررسی کنید؛ "
        "تا اصلاح آن پیامی فرستاده نمی‌شود."
        if fa
        else "Whoever has the mobile of a complaint that you filed says that it is not theirs. Please check the number with "
        "the citizen; no message is sent until it is corrected."
    )
    scene.staff(operator, "operator", "filing_disowned", text, None)


def test_heads_and_the_handler_are_notified_when_somebody_is_missing(scene: Scene) -> None:
    person, broker_client, fa = scene.person, scene.broker_client, scene.language is FA
    inspector, head = (
        Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role}), language=scene.language)
        for role in (Role.INSPECTOR, Role.HEAD)
    )
    number, day = f"\u2066{person.number}\u2069" if fa else person.number, DAY[scene.language]
    broker_client.publish_event(person.registered())
    broker_client.publish_event(person.opened())
    alone, handled = {"handler": None}, {"handler": UUID(inspector.id)}
    left = f"بازرس پرونده {number} دیگر آن را در دست ندارد. لطفاً آن را به بازرس دیگری بسپارید."
    english = f"Case {number} has lost its inspector. Please assign it to another one."
    broker_client.publish_event(person.event(tracking.HandlerLeft, Stage.INVESTIGATING, snapshot=alone, because="left"))
    scene.staff(
        head,
        "head",
        "handler_left",
        f"{left} مهلت: {day}." if fa else f"{english} Due by {day}.",
        person.number,
    )
    missing = (
        f"واحدی که در پرونده {number} از آن پرسیده شده، رابطی ندارد و کسی پاسخ نمی‌دهد."
        if fa
        else f"The unit that was asked in case {number} has no liaison: nobody will answer."
    )
    of_unit = {"question_id": uuid4(), "unit_asked": "roads"}
    broker_client.publish_event(
        person.event(tracking.UnitWithoutLiaison, Stage.AWAITING_UNIT, snapshot=handled, **of_unit)
    )
    scene.staff(head, "head", "unit_without_liaison", missing, person.number)
    scene.staff(inspector, "inspector", "unit_without_liaison", missing, person.number)
    # While nobody handles the case, the heads have what the handler would.
    answered = (
        f"شهروند به پرسش شما در پرونده {number} پاسخ داد."
        if fa
        else f"The citizen has answered your question in case {number}."
    )
    broker_client.publish_event(
        person.event(tracking.CitizenAnswered, Stage.INVESTIGATING, snapshot=alone, question_id=uuid4())
    )
    scene.staff(head, "inspector", "citizen_answered", answered, person.number)


def test_every_notification_is_covered_by_this_module() -> None:
    assert unread((*STAFF_OF_A_CASE, *DEADLINES)) == set()
