"""A case as its citizen reads it."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.base import LEFT_OUT, Answer, GroundCode, ListCode, Moment, Sequence, UploadId
from contracts.gateway import AnswerValue, Group, Place
from contracts.intake import Question
from contracts.media import MediaNote, UploadState, Variant
from contracts.visits import Visit
from contracts.vocabulary import Kind, Outcome, Stage

Uploader = Literal["citizen", "unit", "office"]


class Attachment(Answer):
    """`state`: processing, accepted or rejected (then `reason`). `from_office`: added by staff. `number`: its place among those
    of the same side of the case, or of the question it was sent along with. `file_name`: by that number, or in the view of
    the citizen who sent it as their device called it. `notes`: what to know about it, such as first_frame_only or
    scaled_down; check_delayed while processing takes longer than it should. `withdrawn_at`: its citizen took it back.

    `duration_seconds`: of sound and film; `width`, `height`: in pixels, of pictures and film; `peaks`: `?variant=peaks` has them.
    `uploader`: who gave it; `uploaded_at`: when it became part of the case; None of what is older than this field, and for units.
    To staff: `uploaded_by`, who of them gave it; `redacts`: the original of which this is the version without what must not be
    seen, `redacted_as`: such versions of this one."""

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
    withdrawn_at: Moment | None = None
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    peaks: bool = False
    uploader: Uploader | None = None
    uploaded_at: Moment | None = None
    uploaded_by: UUID | None = None
    uploaded_by_name: str | None = None
    redacts: UploadId | None = None
    redacted_as: list[UploadId] = []


class SentAttachment(Attachment):
    """An attachment as the citizen who sent it sees it. `can_withdraw_until`: till then they may take it back, while the case
    is open."""

    sent_at: Moment | None = None
    can_withdraw_until: Moment | None = None


class PublicEntry(Answer):
    """One line of the timeline that the citizen may read. `sequence`: among these lines, without a gap. `by`: "you" or
    "office". `entry`: what happened, such as opened, citizen_asked, citizen_answered, decided. `text`: only what was written to
    or by the citizen. `outcome`: of a decision, be it of the case that this one was merged into (joined_decided). `body_…`: of
    referred, the competent body to which the case was referred, under its name of that day.

    Of message_sent: `message_id`; `text` as it was last corrected, None once it was taken back; `uploads`: the files that came
    with it; `corrected_at`, `withdrawn_at`; `can_correct_until`: till then it may be corrected or taken back, while the case is
    open. message_corrected and message_withdrawn name the message by `message_id`."""

    sequence: Sequence
    at: Moment
    entry: str
    by: Literal["you", "office"]
    stage: Stage
    text: str | None = None
    outcome: Outcome | None = None
    body_fa: str | None = None
    body_en: str | None = None
    message_id: UUID | None = None
    uploads: list[UploadId] = []
    corrected_at: Moment | None = None
    withdrawn_at: Moment | None = None
    can_correct_until: Moment | None = None


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
    as they were asked that day. `place`: the point and the words of where it happened, `address` the words alone. `group`: of a
    complaint of several people. `corrected_at`: when text or place were last corrected; `can_correct_until`: till then they may
    be, unless the first reading begins before; None once it has."""

    text: str
    answers: dict[str, AnswerValue] = {}
    answered_questions: list[Question] = []
    happened_on: str | None = None
    address: str | None = None
    reference: str | None = None
    people: list[str] = []
    place: Place | None = None
    visit_wanted: bool = False
    group: Group | None = None
    corrected_at: Moment | None = None
    can_correct_until: Moment | None = None


class ShownCommand(Answer):
    """A command that the reader of a case could ever give, by its `type`. Where it is not `possible` now: `why` (it may become
    so; it is not this reader's, or not for such a case; its time is over) and `code`, what exactly is in the way. Where it is:
    the `next_stage`; `four_eyes`, whether what comes of it is a proposal for another to approve; `choices`, the parts of the
    case that may be named in a field, and what each is; `bounds`, the earliest and latest day or moment of one."""

    type: str
    possible: bool
    why: Literal["not_yet", "not_yours", "too_late"] | None = LEFT_OUT
    code: str | None = LEFT_OUT
    next_stage: Stage | None = LEFT_OUT
    four_eyes: bool = Field(default=False, exclude_if=lambda four_eyes: not four_eyes)
    choices: dict[str, dict[str, str]] = Field(default={}, exclude_if=lambda choices: not choices)
    bounds: dict[str, dict[str, str]] = Field(default={}, exclude_if=lambda bounds: not bounds)


class PublicCase(Answer):
    """What the holder of the code sees. Never an internal note, a name of staff, or a unit's answer.

    `filed`: what they wrote themselves; None once it has been erased. `expected_on`: the day a decision is owed; None while
    the clock is stopped or when it is over. `visit_can`: what the citizen can do about a visit now, of ask_visit, book_visit,
    move_visit and cancel_visit. `evidence_left`: how many more files the citizen can send now, `messages_left`: how many more
    messages. `anonymous`: filed without a name. `refusal_name_…`: the reason's
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
    attachments: list[SentAttachment] = []
    evidence_left: int = 0
    messages_left: int = 0
    anonymous: bool = False
    timeline: list[PublicEntry]
    version: int
    commands: list[ShownCommand] = []


class OwnCase(Answer):
    """`question`: what the office waits for an answer to. `last_activity_at`: when what its citizen is shown last changed;
    `unread`: how many entries of the office's came since they last opened the case signed in."""

    case_id: UUID
    kind: Kind
    stage: Stage
    unit_name_fa: str | None
    unit_name_en: str | None
    filed_at: Moment
    expected_on: date | None
    ground: str = ""
    question: OpenQuestion | None = None
    last_activity_at: Moment | None = None
    unread: int = 0


class SimilarOwnCase(OwnCase):
    """One's own open case that may be what one is about to file again. `likeness`: of the texts, 0–1."""

    same_unit: bool
    same_ground: bool
    likeness: float


class SimilarOwnCases(Answer):
    """The most similar first, five at most."""

    items: list[SimilarOwnCase]


class OwnCases(Answer):
    """A page. `next`: the cursor of the page after this one."""

    items: list[OwnCase]
    next: str | None = None
