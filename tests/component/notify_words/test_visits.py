"""Notifications of visits, word for word, in fa and en."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from contracts import tracking
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Role, Stage
from services.notify.notifications.of_visits import VISITS
from tests.component.notify_words.scene import FA, OFFICE, Scene, open_case, unread


def test_a_citizen_and_the_inspector_are_notified_of_a_visit(scene: Scene) -> None:
    person, broker_client, office, code = (
        scene.person,
        scene.broker_client,
        OFFICE[scene.language],
        scene.person.shown_code,
    )
    fa = scene.language is FA
    open_case(scene)
    inspector = uuid4()
    at = datetime(2076, 12, 5, 6, 0, tzinfo=UTC)  # a reminder that comes too late is not sent
    when, place = ("۱۴۵۵/۰۹/۱۵ ساعت ۰۹:۳۰", "اتاق ۱") if fa else ("1455/09/15 at 09:30", "Room 1")
    timed = {"slot_id": uuid4(), "starts_at": at, "place_fa": "اتاق ۱", "place_en": "Room 1"}
    number = f"\u2066{person.number}\u2069" if fa else person.number

    def publish(cls: type[tracking.VisitEvent], **more: object) -> None:
        handled = {"handler": inspector}
        broker_client.publish_event(person.event(cls, Stage.INVESTIGATING, snapshot=handled, visit_id=uuid4(), **more))

    def reads(template: str, sms: str, inbox: str) -> None:
        scene.sms(template, f"{sms}\n{code}\n{office}")
        scene.inbox(template, inbox)

    def staff(template: str, text: str) -> None:
        reader = Actor(
            kind=ActorKind.STAFF, id=str(inspector), roles=frozenset({Role.INSPECTOR}), language=scene.language
        )
        scene.staff(reader, "inspector", template, text, person.number)

    publish(tracking.VisitAsked)
    staff(
        "visit_asked_for_staff",
        f"شهروند پرونده {number} مراجعه حضوری خواسته است." if fa else f"The citizen of case {number} asks for a visit.",
    )
    publish(tracking.VisitOffered)
    reads(
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
        publish(cls, **timed, **more)
        reads(template, f"{words}{when}\n{place}", f"{words}{when}{'،' if fa else ','} {place}.")
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
    publish(tracking.VisitCancelled, **timed, by="office")
    reads(
        "visit_called_off",
        f"مراجعه {when} برگزار نمی‌شود. لطفاً با این کد وقت دیگری برگزینید:"
        if fa
        else f"Your visit of {when} cannot take place. Please choose another time with this code:",
        f"مراجعه {when} برگزار نمی‌شود. لطفاً وقت دیگری برگزینید."
        if fa
        else f"Your visit of {when} cannot take place. Please choose another time.",
    )
    publish(tracking.VisitCancelled, **timed, by="ended")
    ended = (
        f"رسیدگی پایان یافت و مراجعه {when} لازم نیست."
        if fa
        else f"Your case has ended; the visit of {when} is not needed."
    )
    reads("visit_not_needed", ended, ended)
    publish(tracking.VisitCancelled, **timed, by="citizen")
    scene.inbox("visit_cancelled", "درخواست مراجعه شما پس گرفته شد." if fa else "Your visit is cancelled.")
    staff(
        "visit_cancelled_for_staff",
        f"شهروند پرونده {number} مراجعه را لغو کرد." if fa else f"The citizen of case {number} cancelled the visit.",
    )
    holiday_fa = f"روز مراجعه شما، {when}، تعطیل شده است."
    publish(tracking.VisitCancelled, **timed, by="office", because="holiday", inspector=inspector)
    reads(
        "visit_on_holiday",
        f"{holiday_fa} لطفاً با این کد وقت دیگری برگزینید:"
        if fa
        else f"The day of your visit, {when}, is a holiday now. Please choose another time with this code:",
        f"{holiday_fa} لطفاً وقت دیگری برگزینید."
        if fa
        else f"The day of your visit, {when}, has become a holiday. Please choose another time.",
    )
    staff(
        "visit_on_holiday_for_staff",
        f"روز مراجعه پرونده {number}، {when}، تعطیل شده است. به شهروند گفته شد که وقت دیگری برگزیند."
        if fa
        else f"The day of the visit in case {number}, {when}, has become a holiday. The citizen was asked to choose "
        "another time.",
    )
    publish(tracking.VisitHandedOver, **timed, inspector=inspector)
    staff(
        "visit_handed_over",
        f"مراجعه پرونده {number}، {when}، {place}، از این پس با شماست."
        if fa
        else f"The visit in case {number}, {when}, {place}, is yours from now on.",
    )
    publish(tracking.VisitMissed, **timed)
    scene.inbox(
        "visit_missed",
        "در وقت مراجعه شما را ندیدیم. اگر هنوز لازم است، دوباره درخواست دهید."
        if fa
        else "We did not see you at the time of your visit. If it is still needed, ask again.",
    )


def test_every_notification_is_covered_by_this_module() -> None:
    assert unread(VISITS) == set()
