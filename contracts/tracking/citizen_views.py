"""A case as its citizen reads it."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from contracts.base import Answer, GroundCode, ListCode, Moment, Sequence, UploadId
from contracts.gateway import AnswerValue
from contracts.intake import Question
from contracts.media import MediaNote, UploadState, Variant
from contracts.visits import Visit
from contracts.vocabulary import Kind, Outcome, Stage


class Attachment(Answer):
    """`state`: processing, accepted or rejected (then `reason`). `from_office`: added by staff. `number`: its place among those
    of the same side of the case, or of the question it was sent along with. `file_name`: by that number, or in the view of
    the citizen who sent it as their device called it. `notes`: what to know about it, such as first_frame_only or
    scaled_down; check_delayed while processing takes longer than it should."""

    media_id: UploadId
    state: UploadState
    media_type: str | None = None
    size: int | None = None
    variants: list[Variant] = []
    reason: str | None = None
    from_office: bool = False
    number: int = 0
    file_name: str | None = None
    notes: list[MediaNote] = []


class PublicEntry(Answer):
    """One line of the timeline that the citizen may read. `sequence`: among these lines, without a gap. `by`: "you" or
    "office". `entry`: what happened, such as opened, citizen_asked, citizen_answered, decided. `text`: only what was written to
    or by the citizen. `outcome`: of a decision, be it of the case that this one was merged into (joined_decided). `body_…`: of
    referred, the competent body to which the case was referred, under its name of that day."""

    sequence: Sequence
    at: Moment
    entry: str
    by: Literal["you", "office"]
    stage: Stage
    text: str | None = None
    outcome: Outcome | None = None
    body_fa: str | None = None
    body_en: str | None = None


class OpenQuestion(Answer):
    question_id: UUID
    text: str
    asked_at: Moment


class CitedArticle(Answer):
    """An article of a regulation that a decision cites: what it was called on the day of the decision."""

    code: ListCode
    title_fa: str
    title_en: str
    number: str


class Decision(Answer):
    """`articles`: what it cites."""

    outcome: Outcome
    reasons: str
    decided_at: Moment
    final: bool
    objection_until: date | None = None
    articles: list[CitedArticle] = []


class MergedOutcome(Answer):
    """How the case was decided that a merged one goes on in; the reasons were written to another."""

    outcome: Outcome
    decided_at: Moment
    final: bool


class MergedRefusal(Answer):
    """Why the case is not handled that a merged one goes on in; what was explained to its citizen was written to another."""

    refusal_reason: ListCode
    refusal_name_fa: str | None = None
    refusal_name_en: str | None = None
    refusal_address: str | None = None
    refused_at: Moment


class FiledText(Answer):
    """What the citizen wrote when they filed, as typed. `happened_on`: ISO, Gregorian. `answered_questions`: those of `answers`,
    as they were asked that day."""

    text: str
    answers: dict[str, AnswerValue] = {}
    answered_questions: list[Question] = []
    happened_on: str | None = None
    address: str | None = None
    reference: str | None = None
    people: list[str] = []


class PublicCase(Answer):
    """What the holder of the code sees. Never an internal note, a name of staff, or a unit's answer.

    `filed`: what they wrote themselves; None once it has been erased. `expected_on`: the day a decision is owed; None while
    the clock is stopped or when it is over. `visit_can`: what the citizen can do about a visit now, of ask_visit, book_visit,
    move_visit and cancel_visit. `evidence_left`: how many more files the citizen can send now. `refusal_name_…`: the reason's
    name of the day it was refused. `joined`, `joined_refusal`: of a merged case, once the case that it goes on in is decided
    or refused. `closed_reason`: unanswered when the case was closed since the question was not answered; an answer reopens it
    until `answer_until`. `version`: grows with what the citizen is shown, and with nothing else.
    """

    case_id: UUID
    kind: Kind
    stage: Stage
    unit_name_fa: str | None
    unit_name_en: str | None
    ground: GroundCode
    filed_at: Moment
    filed: FiledText | None = None
    expected_on: date | None
    question: OpenQuestion | None = None
    decision: Decision | None = None
    refusal_reason: ListCode | None = None
    refusal_name_fa: str | None = None
    refusal_name_en: str | None = None
    refusal_explanation: str | None = None
    refusal_address: str | None = None
    closed_reason: Literal["unanswered"] | None = None
    answer_until: date | None = None
    joined: MergedOutcome | None = None
    joined_refusal: MergedRefusal | None = None
    score: int | None = None
    can: list[Literal["answer_question", "withdraw", "object", "rate"]] = []
    visits: list[Visit] = []
    visit_can: list[str] = []
    attachments: list[Attachment] = []
    evidence_left: int = 0
    timeline: list[PublicEntry]
    version: int


class OwnCase(Answer):
    case_id: UUID
    kind: Kind
    stage: Stage
    unit_name_fa: str | None
    unit_name_en: str | None
    filed_at: Moment
    expected_on: date | None


class OwnCases(Answer):
    items: list[OwnCase]
