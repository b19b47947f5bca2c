"""Notifications of work that ends and of what the office takes back, word for word, in fa and en."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from contracts import tracking
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Outcome, Role, Stage
from services.notify.notifications.of_the_way_back import THE_WAY_BACK
from tests.component.notify_words.scene import EN, FA, OFFICE, Scene, open_case, unread

CITIZENS: dict[str, dict[str, str]] = {
    "refusal_taken_back": {
        FA: "نپذیرفتن شکایت شما اشتباه ما بود و پس گرفته شد. دوباره به آن رسیدگی می‌کنیم.",
        EN: "Your complaint was refused by our mistake. The refusal is void and we look at it again.",
    },
    "decision_taken_back": {
        FA: "نتیجه اعلام‌شده برای شکایت شما درست نبود و پس گرفته شد. دوباره به آن رسیدگی می‌کنیم.",
        EN: "The result of your complaint was not right and is void. We look at it again.",
    },
    "closing_taken_back": {
        FA: "شکایت شما به اشتباه بسته شده بود. دوباره به آن رسیدگی می‌کنیم.",
        EN: "Your complaint was closed by our mistake. We look at it again.",
    },
    "merge_undone": {
        FA: "شکایت شما به اشتباه به پرونده‌ای دیگر پیوسته بود و اکنون جداگانه رسیدگی می‌شود.",
        EN: "Your complaint was joined to another case by our mistake. It is now handled by itself.",
    },
    "joined_reopened": {
        FA: "نتیجه پرونده‌ای که شکایت شما به آن پیوسته است پس گرفته شد و دوباره به آن رسیدگی می‌شود.",
        EN: "The result of the case your complaint was joined to is void. That case is looked at again.",
    },
}
LETTER = {FA: " نامه پیشین اعتبار ندارد.", EN: " The letter you had is not valid any more."}
STAFF: dict[str, dict[str, str]] = {
    "withdrawn_for_staff": {
        FA: "شهروند پرونده {number} را پس گرفت. رسیدگی به آن پایان یافت.",
        EN: "The citizen has withdrawn case {number}. The work on it is over.",
    },
    "decided_for_staff": {
        FA: "نتیجه پرونده {number} که بر آن کار کرده‌اید اعلام شد.",
        EN: "Case {number}, on which you worked, has been decided.",
    },
    "closed_for_staff": {
        FA: "پرونده {number} که بر آن کار کرده‌اید بسته شد.",
        EN: "Case {number}, on which you worked, is closed.",
    },
    "returned_for_staff": {
        FA: "پرونده {number} برای درست شدن نوع، واحد یا محور به غربالگری بازگشت و دیگر در دست شما نیست.",
        EN: "Case {number} went back to screening, since its kind, unit or ground is wrong; it is no longer with you.",
    },
    "returned_for_screeners": {
        FA: "پرونده {number} از رسیدگی به غربالگری بازگشت تا نوع، واحد یا محور آن درست شود.",
        EN: "Case {number} came back from the inquiry: its kind, unit or ground is to be set right.",
    },
    "taken_back_for_staff": {
        FA: "مدیر بازرسی پرونده {number} را که بر آن کار کرده‌اید دوباره گشود.",
        EN: "The head of inspection has reopened case {number}, on which you worked.",
    },
    "taken_back_for_screeners": {
        FA: "مدیر بازرسی پرونده {number} را دوباره گشود؛ در انتظار غربالگری است.",
        EN: "The head of inspection has reopened case {number}; it waits for screening.",
    },
    "corrected_for_staff": {
        FA: "مشخصات پرونده {number} که در دست شماست درست شد.",
        EN: "Details of case {number}, which you handle, were set right.",
    },
    "case_joined": {
        FA: "پرونده دیگری به پرونده {number} پیوست. متن، مدارک و درخواست مراجعه آن را در همین پرونده ببینید.",
        EN: "Another case was merged into case {number}. Its text, evidence and wish for a visit are shown in this case.",
    },
    "case_parted": {
        FA: "پرونده‌ای که به اشتباه به پرونده {number} پیوسته بود از آن جدا شد.",
        EN: "A case that was merged into case {number} by mistake is its own again.",
    },
    "answer_not_needed": {
        FA: "پرسشی که بازرسی از واحد شما داشت دیگر به پاسخ نیاز ندارد.",
        EN: "A question of the inspection office to your unit needs no answer any more.",
    },
    "recommendations_void": {
        FA: "پیشنهادهایی که بازرسی به واحد شما داده بود و انجام نشده‌اند پس گرفته شدند.",
        EN: "Recommendations of the inspection office to your unit that were not carried out are void.",
    },
}


@pytest.mark.parametrize("template", list(CITIZENS))
def test_the_citizen_is_told_what_is_taken_back(scene: Scene, template: str) -> None:
    person, text = scene.person, CITIZENS[template][scene.language]
    open_case(scene)
    mistakes = {"refusal_taken_back": "refused", "decision_taken_back": "decided", "closing_taken_back": "closed"}
    if template == "joined_reopened":
        event = person.event(tracking.MergedCaseReopened, Stage.MERGED)
    else:
        mistake = mistakes.get(template, "merged")
        event = person.event(tracking.CaseReopened, Stage.SCREENING, mistake=mistake)
    scene.broker_client.publish_event(event)
    scene.broker_client.publish_event(event)
    scene.sms(template, f"{text}\n{person.shown_code}\n{OFFICE[scene.language]}")
    letter = LETTER[scene.language] if template in ("refusal_taken_back", "decision_taken_back") else ""
    scene.inbox(template, text + letter)


def test_the_citizen_reads_that_their_case_is_screened_again(scene: Scene) -> None:
    open_case(scene)
    scene.broker_client.publish_event(scene.person.event(tracking.CaseReturned, Stage.SCREENING))
    if scene.language is FA:
        text = "مشخصات شکایت شما، مانند واحد یا محور آن، بازبینی می‌شود و سپس رسیدگی ادامه می‌یابد."
    else:
        text = "The details of your complaint, such as its unit or ground, are being set right; then it goes on."
    scene.inbox("returned", text)


def test_everybody_who_worked_on_a_case_is_told_in_their_inbox(scene: Scene) -> None:
    person, language = scene.person, scene.language

    def actor(role: Role, unit: str | None = None) -> Actor:
        return Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role}), unit=unit, language=language)

    inspector, worker = actor(Role.INSPECTOR), actor(Role.INSPECTOR)
    people = {
        "inspector": inspector,
        "worker": worker,
        "screener": actor(Role.SCREENER),
        "released_liaison": actor(Role.LIAISON, "roads"),
        "liaison": actor(Role.LIAISON, "roads"),
    }
    number = f"\u2066{person.number}\u2069" if language is FA else person.number
    scene.broker_client.publish_event(person.registered())
    scene.broker_client.publish_event(person.opened())
    mine: dict[str, Any] = {"snapshot": {"handler": inspector.id}}
    told: dict[str, Any] = {"workers": [worker.id]}
    released: dict[str, Any] = {**told, "unit_released": "roads"}
    other: dict[str, Any] = {"merged": uuid4()}
    back: dict[str, Any] = {**told, "mistake": "decided", "recommended_to": "roads"}
    steps: list[tuple[Any, Stage, dict[str, Any], dict[str, str]]] = [
        (tracking.CaseDecided, Stage.DECIDED, {**told, "outcome": Outcome.UPHELD}, {"worker": "decided_for_staff"}),
        (tracking.CaseStageChanged, Stage.CLOSED, told, {"worker": "closed_for_staff"}),
        (
            tracking.CaseReturned,
            Stage.SCREENING,
            released,
            {
                "worker": "returned_for_staff",
                "screener": "returned_for_screeners",
                "released_liaison": "answer_not_needed",
            },
        ),
        (tracking.CaseCorrected, Stage.INVESTIGATING, mine, {"inspector": "corrected_for_staff"}),
        (tracking.CaseJoined, Stage.INVESTIGATING, {**mine, **other}, {"inspector": "case_joined"}),
        (tracking.CaseJoined, Stage.SCREENING, other, {"screener": "case_joined"}),
        (tracking.CaseParted, Stage.INVESTIGATING, {**mine, **other}, {"inspector": "case_parted"}),
        (tracking.CaseParted, Stage.SCREENING, other, {"screener": "case_parted"}),
        (
            tracking.CaseReopened,
            Stage.SCREENING,
            back,
            {
                "worker": "taken_back_for_staff",
                "screener": "taken_back_for_screeners",
                "liaison": "recommendations_void",
            },
        ),
        (tracking.CaseWithdrawn, Stage.WITHDRAWN, told, {"worker": "withdrawn_for_staff"}),
    ]
    for event, stage, fields, readers in steps:
        scene.broker_client.publish_event(person.event(event, stage, **fields))
        for audience, template in readers.items():
            text = STAFF[template][language].format(number=number)
            shown = None if "liaison" in audience else person.number
            scene.staff(people[audience], audience, template, text, shown)


def test_every_notification_is_covered_by_this_module() -> None:
    assert unread(THE_WAY_BACK) == set()
