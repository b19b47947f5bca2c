"""What tracking says and answers: cases, from their opening to their end (DOMAIN: The life of a case).

Events carry a whole `CaseSnapshot`, so a consumer keeps the one with the highest `sequence` and is right in any order.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import (
    Answer,
    CaseEvent,
    Contract,
    GroundCode,
    KeyedHash,
    ListCode,
    Moment,
    Request,
    Sequence,
    UnitCode,
    UploadId,
)
from contracts.gateway import Actor, AnswerValue, Consent, Group, Place
from contracts.media import MediaNote, UploadState, Variant
from contracts.visits import StaffVisit, StaffVisitCommand, Visit, VisitCommand
from contracts.vocabulary import Channel, KeptPart, Kind, Language, Outcome, Stage

PRODUCER = "tracking"

LongText = Annotated[str, Field(min_length=1, max_length=10_000)]
DeadlineStep = Literal["decision", "first_reading", "unit", "citizen", "recommendation"]
ShortText = Annotated[str, Field(max_length=1_000)]


# --- events ---------------------------------------------------------------------------------------------------------


class CaseSnapshot(Contract):
    """The case after this event, without texts or persons. `expected_on`: the day a decision is owed, Tehran."""

    number: str
    kind: Kind
    unit: UnitCode | None
    ground: GroundCode
    stage: Stage
    previous_stage: Stage | None = None
    urgent: bool = False
    anonymous: bool = False
    channel: Channel
    filed_at: Moment
    expected_on: date | None = None
    outcome: Outcome | None = None
    handler: UUID | None = None
    citizen_id: UUID | None = None
    code_hash: KeyedHash | None = None
    score: int | None = None


class TrackedEvent(CaseEvent):
    """What every event of tracking is.

    `noticed`: whether what the citizen sees of the case has changed with it; nothing about it reaches them otherwise.
    `public_version`: the `version` of PublicCase after it, in which the office's own entries are not counted; None where
    `noticed` is False, and in events of an earlier release."""

    producer: ClassVar[str] = PRODUCER
    state: CaseSnapshot
    noticed: bool = True
    public_version: int | None = None


class CaseOpened(TrackedEvent):
    """A submission has become a case, with its number and the day a decision is owed."""

    name: ClassVar[str] = "case.opened.v1"


class CaseStageChanged(TrackedEvent):
    """A change of stage that no event below tells: screening began, closed, reopened."""

    name: ClassVar[str] = "case.stage_changed.v1"


class CaseCorrected(TrackedEvent):
    """Unit, ground, kind or urgency were set right in screening."""

    name: ClassVar[str] = "case.corrected.v1"


class CaseAssigned(TrackedEvent):
    """`state.handler` is the inspector; the case is now investigated (or reviewed)."""

    name: ClassVar[str] = "case.assigned.v1"


class CitizenAsked(TrackedEvent):
    """A question waits for the citizen; the clock stands still. What it asks does not travel."""

    name: ClassVar[str] = "case.citizen_asked.v1"
    question_id: UUID


class CitizenAnswered(TrackedEvent):
    """The citizen answered; the clock runs on. `uploads` came with the answer."""

    name: ClassVar[str] = "case.citizen_answered.v1"
    question_id: UUID
    uploads: list[UploadId] = []


class UnitAsked(TrackedEvent):
    """A question waits for a unit until `due_on`. What it asks does not travel."""

    name: ClassVar[str] = "case.unit_asked.v1"
    question_id: UUID
    unit_asked: UnitCode
    due_on: date


class UnitAnswered(TrackedEvent):
    """A unit's liaison answered. `uploads` came with the answer."""

    name: ClassVar[str] = "case.unit_answered.v1"
    question_id: UUID
    unit_asked: UnitCode
    uploads: list[UploadId] = []


class NoteAdded(TrackedEvent):
    """An internal note, or another line of the office's own; what it says does not travel. `mentions`: staff to be told."""

    name: ClassVar[str] = "case.note_added.v1"
    mentions: list[UUID] = []


class EvidenceAdded(TrackedEvent):
    """Uploads that came after filing; media keeps them. `by_citizen`: who filed the case sent them; else the office."""

    name: ClassVar[str] = "case.evidence_added.v1"
    uploads: list[UploadId]
    by_citizen: bool = False


class EvidenceRefused(TrackedEvent):
    """Files that the citizen sent cannot be taken; why is told with the case. `first`: none was refused in this case before."""

    name: ClassVar[str] = "case.evidence_refused.v1"
    media: list[UploadId]
    first: bool = True


class CaseDecided(TrackedEvent):
    """`final`: after an objection, which can be raised once."""

    name: ClassVar[str] = "case.decided.v1"
    outcome: Outcome
    root_causes: list[ListCode] = []
    final: bool = False
    objection_until: date | None = None
    recommended_to: UnitCode | None = None


class CaseRefused(TrackedEvent):
    """The case is not handled, for a listed reason that the citizen is told. `reason_…`: its name of that day."""

    name: ClassVar[str] = "case.refused.v1"
    reason: ListCode
    reason_fa: str | None = None
    reason_en: str | None = None


class CaseMerged(TrackedEvent):
    """The case repeats the open case `into` and goes on there."""

    name: ClassVar[str] = "case.merged.v1"
    into: UUID


class JoinedCaseDecided(TrackedEvent):
    """The case that this merged one goes on in was decided. Of that case nothing travels but its outcome."""

    name: ClassVar[str] = "case.joined_decided.v1"
    outcome: Outcome
    final: bool = False


class JoinedCaseRefused(TrackedEvent):
    """The case that this merged one goes on in is not handled, for a reason that holds for this one, too."""

    name: ClassVar[str] = "case.joined_refused.v1"
    reason: ListCode
    reason_fa: str | None = None
    reason_en: str | None = None


class CaseReopened(TrackedEvent):
    """The case that this merged one went on in ended and decided nothing: this one is screened by itself again."""

    name: ClassVar[str] = "case.reopened.v1"


class CaseWithdrawn(TrackedEvent):
    """The citizen took the case back."""

    name: ClassVar[str] = "case.withdrawn.v1"


class CaseObjected(TrackedEvent):
    """The citizen objected to the decision; another inspector reviews it."""

    name: ClassVar[str] = "case.objected.v1"


class VisitEvent(TrackedEvent):
    """What every event of a visit is. Time and place while it has a slot; `place_…`: the room's name of that day."""

    visit_id: UUID
    slot_id: UUID | None = None
    starts_at: Moment | None = None
    place_fa: str | None = None
    place_en: str | None = None


class VisitAsked(VisitEvent):
    """The citizen wants to come, said at filing or later."""

    name: ClassVar[str] = "visit.asked.v1"


class VisitOffered(VisitEvent):
    """The office offers times; the citizen is to choose."""

    name: ClassVar[str] = "visit.offered.v1"


class VisitBooked(VisitEvent):
    """The citizen took a place."""

    name: ClassVar[str] = "visit.booked.v1"


class VisitMoved(VisitEvent):
    """The citizen took another time."""

    name: ClassVar[str] = "visit.moved.v1"


class VisitCancelled(VisitEvent):
    """`by` citizen; office: it cannot hold it, and another time is to be chosen; ended: the case ended before."""

    name: ClassVar[str] = "visit.cancelled.v1"
    by: Literal["citizen", "office", "ended"]


class VisitReminded(VisitEvent):
    """The time is near: `before` a day, or hours."""

    name: ClassVar[str] = "visit.reminded.v1"
    before: Literal["day", "hours"]


class VisitHeld(VisitEvent):
    """The visit took place; its minutes do not travel."""

    name: ClassVar[str] = "visit.held.v1"


class VisitMissed(VisitEvent):
    """The citizen did not come."""

    name: ClassVar[str] = "visit.missed.v1"


class VisitAvoided(VisitEvent):
    """The case ended while the visit was only asked for: it was not needed."""

    name: ClassVar[str] = "visit.avoided.v1"


class CaseRated(TrackedEvent):
    """The citizen rated how the case was handled; `score` 1–5."""

    name: ClassVar[str] = "case.rated.v1"
    score: Annotated[int, Field(ge=1, le=5)]


class DeadlineWarned(TrackedEvent):
    """The time of a step is nearly over, or (step citizen) the citizen let it pass. `unit_asked`: whose answer is owed."""

    name: ClassVar[str] = "case.deadline_warned.v1"
    step: DeadlineStep
    due_on: date
    unit_asked: UnitCode | None = None


class CaseEscalated(TrackedEvent):
    """The time of a step is over and the case goes up: to the head of inspection, then to the mayor's office (`to_unit`)."""

    name: ClassVar[str] = "case.escalated.v1"
    step: DeadlineStep
    level: Literal["head", "mayor"]
    due_on: date
    unit_asked: UnitCode | None = None
    to_unit: UnitCode | None = None


class CaseRescheduled(TrackedEvent):
    """The city's calendar has changed, and with it the day a decision is owed or until which one may object."""

    name: ClassVar[str] = "case.rescheduled.v1"


class RetentionDue(TrackedEvent):
    """The time is over for which a part of an ended case is kept; whoever holds of it erases it now.

    `rule_outcome`, `months`: the rule of the case's kind by which it is. `media`: of the part evidence, all that it has.
    """

    name: ClassVar[str] = "case.retention_due.v1"
    part: KeptPart
    months: int
    rule_outcome: Outcome | None = None
    ended_at: Moment
    media: list[UploadId] = []


class DecisionProposed(TrackedEvent):
    """A decision waits for the head's approval. What it says does not travel."""

    name: ClassVar[str] = "case.decision_proposed.v1"


class ProposalReturned(TrackedEvent):
    """The head wants the proposed decision done over."""

    name: ClassVar[str] = "case.proposal_returned.v1"


class RecommendationReported(TrackedEvent):
    """A unit says that it carried out a recommendation, or (`done` false) that it will not."""

    name: ClassVar[str] = "case.recommendation_reported.v1"
    recommendation_id: UUID
    unit_asked: UnitCode
    done: bool


class RecommendationSettled(TrackedEvent):
    """The office agreed with the unit's report (`now`: done or declined) or sent it back (open)."""

    name: ClassVar[str] = "case.recommendation_settled.v1"
    recommendation_id: UUID
    unit_asked: UnitCode
    now: Literal["done", "declined", "open"]


class CaseReminded(TrackedEvent):
    """The day has come of which `staff` wanted to be reminded. What for does not travel."""

    name: ClassVar[str] = "case.reminded.v1"
    staff: UUID


# --- commands of staff ----------------------------------------------------------------------------------------------


class StartScreening(Contract):
    type: Literal["start_screening"] = "start_screening"


class Correct(Contract):
    """Sets right what the citizen chose; only what is given changes."""

    type: Literal["correct"] = "correct"
    unit: UnitCode | None = None
    ground: GroundCode | None = None
    urgent: bool | None = None


class Refuse(Contract):
    """`reason`: one that the administrator offers. `explanation` is told to the citizen, with `address`: where to turn to
    instead."""

    type: Literal["refuse"] = "refuse"
    reason: ListCode
    explanation: LongText
    address: ShortText | None = None


class Merge(Contract):
    type: Literal["merge"] = "merge"
    into: UUID


class Assign(Contract):
    """Accepts a screened case, or hands over one under investigation, or an objection to another inspector.

    `inspector` None: whoever is skilled in its ground and has the fewest open cases."""

    type: Literal["assign"] = "assign"
    inspector: UUID | None = None


class AskCitizen(Contract):
    """The clock stops until the answer."""

    type: Literal["ask_citizen"] = "ask_citizen"
    text: LongText


class AskUnit(Contract):
    """`unit` left out: the unit complained about. `media` of the case that may be seen along with the question."""

    type: Literal["ask_unit"] = "ask_unit"
    text: LongText
    unit: UnitCode | None = None
    media: list[UploadId] = []


class AddNote(Contract):
    """`mentions`: staff who may see the case and are told of the note."""

    type: Literal["add_note"] = "add_note"
    text: LongText
    mentions: Annotated[list[UUID], Field(max_length=10)] = []


class AddEvidence(Contract):
    type: Literal["add_evidence"] = "add_evidence"
    uploads: Annotated[list[UploadId], Field(min_length=1, max_length=10)]


class Recommendation(Contract):
    text: LongText
    due_on: date


class Decide(Contract):
    """`reasons` are told to the citizen. An upheld or partly upheld case names at least one root cause, of those that the
    administrator offers."""

    type: Literal["decide"] = "decide"
    outcome: Outcome
    reasons: LongText
    root_causes: list[ListCode] = []
    recommendations: list[Recommendation] = []


class Close(Contract):
    type: Literal["close"] = "close"


class Propose(Contract):
    """A decision for the head to approve."""

    type: Literal["propose"] = "propose"
    outcome: Outcome
    reasons: LongText
    root_causes: list[ListCode] = []
    recommendations: list[Recommendation] = []


class Approve(Contract):
    """The proposal becomes the decision; by another than who proposed it."""

    type: Literal["approve"] = "approve"


class ReturnProposal(Contract):
    type: Literal["return_proposal"] = "return_proposal"
    reason: LongText


class SettleRecommendation(Contract):
    """Agrees with what the unit reported, or sends it back, then with a reason."""

    type: Literal["settle_recommendation"] = "settle_recommendation"
    recommendation_id: UUID
    accepted: bool
    reason: LongText | None = None


class Remind(Contract):
    """The giver is reminded on a day to come."""

    type: Literal["remind"] = "remind"
    on: date
    text: Annotated[str, Field(min_length=1, max_length=1_000)]


class AddCheck(Contract):
    """One more thing to see to in this case."""

    type: Literal["add_check"] = "add_check"
    text: Annotated[str, Field(min_length=1, max_length=1_000)]


class TickCheck(Contract):
    type: Literal["tick_check"] = "tick_check"
    item_id: UUID
    done: bool


class LinkCase(Contract):
    """The two cases belong together, each its own; `linked` false: no longer."""

    type: Literal["link_case"] = "link_case"
    to: UUID
    linked: bool = True


StaffCommand = Annotated[
    StartScreening
    | Correct
    | Refuse
    | Merge
    | Assign
    | AskCitizen
    | AskUnit
    | AddNote
    | AddEvidence
    | Decide
    | Propose
    | Approve
    | ReturnProposal
    | SettleRecommendation
    | Remind
    | AddCheck
    | TickCheck
    | LinkCase
    | Close
    | StaffVisitCommand,
    Field(discriminator="type"),
]


class ExecuteCommand(Request):
    """RPC tracking.execute → StaffCase.

    `expected_version`: what the caller saw (If-Match); another one is StaleVersion. Repeated with the same
    `idempotency_key` by the same actor it answers the same and changes nothing; the key with another command is KeyReused.
    """

    actor: Actor
    case_id: UUID
    expected_version: int
    idempotency_key: Annotated[str, Field(min_length=8, max_length=100)]
    command: StaffCommand


# --- commands of citizens -------------------------------------------------------------------------------------------


class AnswerQuestion(Contract):
    type: Literal["answer_question"] = "answer_question"
    text: LongText
    uploads: Annotated[list[UploadId], Field(max_length=10)] = []


class Withdraw(Contract):
    type: Literal["withdraw"] = "withdraw"
    reason: ShortText | None = None


class RaiseObjection(Contract):
    type: Literal["object"] = "object"
    text: LongText


class Rate(Contract):
    """`score` 1–5 and the four questions of DOMAIN: informed clearly, treated well, on time, asked for anything improper."""

    type: Literal["rate"] = "rate"
    score: Annotated[int, Field(ge=1, le=5)]
    informed_clearly: bool | None = None
    treated_well: bool | None = None
    on_time: bool | None = None
    asked_improper: bool | None = None


class SendEvidence(Contract):
    """More evidence, or better, while the case is open; the stage stays. EvidenceFull beyond what one case takes."""

    type: Literal["send_evidence"] = "send_evidence"
    uploads: Annotated[list[UploadId], Field(min_length=1, max_length=10)]


CitizenCommand = Annotated[
    AnswerQuestion | Withdraw | RaiseObjection | Rate | SendEvidence | VisitCommand, Field(discriminator="type")
]


class ExecuteCitizenCommand(Request):
    """RPC tracking.execute_citizen → PublicCase. The case is named by its code, or by `case_id` and a signed-in `actor`."""

    actor: Actor
    code_hashes: list[KeyedHash] = []
    case_id: UUID | None = None
    idempotency_key: Annotated[str, Field(min_length=8, max_length=100)]
    command: CitizenCommand


# --- views ----------------------------------------------------------------------------------------------------------


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
    or by the citizen. `outcome`: of a decision, be it of the case that this one was merged into (joined_decided)."""

    sequence: Sequence
    at: Moment
    entry: str
    by: Literal["you", "office"]
    stage: Stage
    text: str | None = None
    outcome: Outcome | None = None


class OpenQuestion(Answer):
    question_id: UUID
    text: str
    asked_at: Moment


class Decision(Answer):
    outcome: Outcome
    reasons: str
    decided_at: Moment
    final: bool
    objection_until: date | None = None


class JoinedOutcome(Answer):
    """How the case was decided that a merged one goes on in; the reasons were written to another."""

    outcome: Outcome
    decided_at: Moment
    final: bool


class JoinedRefusal(Answer):
    """Why the case is not handled that a merged one goes on in; what was explained to its citizen was written to another."""

    refusal_reason: ListCode
    refusal_name_fa: str | None = None
    refusal_name_en: str | None = None
    refusal_address: str | None = None
    refused_at: Moment


class FiledText(Answer):
    """What the citizen wrote when they filed, as typed. `happened_on`: ISO, Gregorian."""

    text: str
    answers: dict[str, AnswerValue] = {}
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
    or refused. `version`: grows with what the citizen is shown, and with nothing else.
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
    joined: JoinedOutcome | None = None
    joined_refusal: JoinedRefusal | None = None
    score: int | None = None
    can: list[Literal["answer_question", "withdraw", "object", "rate"]] = []
    visits: list[Visit] = []
    visit_can: list[str] = []
    attachments: list[Attachment] = []
    evidence_left: int = 0
    timeline: list[PublicEntry]
    version: int


class ViewByCode(Request):
    """RPC tracking.view_by_code → PublicCase; UnknownCase when no case has (yet) any of these hashes."""

    code_hashes: Annotated[list[KeyedHash], Field(min_length=1)]


class ListOwnCases(Request):
    """RPC tracking.list_own_cases → OwnCases: those a signed-in citizen filed, newest first."""

    actor: Actor


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


class ViewOwnCase(Request):
    """RPC tracking.view_own_case → PublicCase, for the signed-in citizen who filed it."""

    actor: Actor
    case_id: UUID


class StaffEntry(Answer):
    """One line of the timeline as staff read it. `actor_kind` citizen, bearer, staff or system; `details` by entry."""

    sequence: Sequence
    at: Moment
    entry: str
    actor_kind: str
    actor_id: str | None
    stage: Stage
    details: dict[str, object] = {}
    hash: KeyedHash


class CaseQuestion(Answer):
    """A question to the citizen (`unit` None) or to a unit, and its answer."""

    question_id: UUID
    unit: UnitCode | None
    text: str
    asked_at: Moment
    due_on: date | None = None
    answer: str | None = None
    answered_at: Moment | None = None
    media: list[UploadId] = []


class Proposal(Answer):
    """A decision that waits for the head. `by`: who proposed it."""

    outcome: Outcome
    reasons: str
    root_causes: list[ListCode] = []
    recommendations: list[Recommendation] = []
    by: UUID
    at: Moment


RecommendationState = Literal["open", "reported_done", "reported_declined", "done", "declined", "superseded"]


class FollowedRecommendation(Answer):
    """A recommendation and what became of it: reported by the unit, then agreed to by the office. `case_id` and `number`
    are for the office alone."""

    recommendation_id: UUID
    case_id: UUID | None = None
    number: str | None = None
    unit: UnitCode
    text: str
    due_on: date
    state: RecommendationState
    reason: str | None = None
    reported_at: Moment | None = None
    settled_at: Moment | None = None


class CheckItem(Answer):
    """`done_by`, `done_at`: when it is done."""

    item_id: UUID
    text: str
    done: bool = False
    done_by: UUID | None = None
    done_at: Moment | None = None


class Reminder(Answer):
    """`said`: its day has come."""

    staff: UUID
    on: date
    text: str
    said: bool


class LinkedCase(Answer):
    case_id: UUID
    number: str
    stage: Stage


class Named(Answer):
    """Something of a list of the administrator's, under the name it had that day."""

    code: ListCode
    name_fa: str
    name_en: str


class StaffCase(Answer):
    """The whole case for those who handle it; who complained is not in it (intake's sealed identities hold that).

    `consent`: how the citizen agreed, when an operator filed it for them. `group`: when who filed it
    represents others."""

    case_id: UUID
    number: str
    version: int
    kind: Kind
    stage: Stage
    unit: UnitCode | None
    unit_asked: str
    unit_name_fa: str | None
    unit_name_en: str | None
    ground: GroundCode
    answers: dict[str, AnswerValue]
    text: str
    happened_on: str | None
    place: Place | None
    reference: str | None
    people: list[str]
    visit_wanted: bool
    urgent: bool
    anonymous: bool
    channel: Channel
    language: Language
    filed_at: Moment
    expected_on: date | None
    handler: UUID | None
    decision: Decision | None
    root_causes: list[ListCode] = []
    recommendations: list[Recommendation] = []
    merged_into: UUID | None = None
    score: int | None = None
    questions: list[CaseQuestion] = []
    attachments: list[Attachment] = []
    visits: list[StaffVisit] = []
    timeline: list[StaffEntry] = []
    proposal: Proposal | None = None
    followed: list[FollowedRecommendation] = []
    checklist: list[CheckItem] = []
    reminders: list[Reminder] = []
    linked: list[LinkedCase] = []
    consent: Consent | None = None
    group: Group | None = None
    refusal: Named | None = None
    root_cause_names: list[Named] = []


class GetCase(Request):
    """RPC tracking.get_case → StaffCase; UnknownCase also when the actor may not know of it."""

    actor: Actor
    case_id: UUID


class ListUnitQuestions(Request):
    """RPC tracking.list_unit_questions → UnitQuestions: those put to the liaison's unit or one below it."""

    actor: Actor
    open_only: bool = True


class UnitQuestion(Answer):
    """All that a liaison sees: the question and what was sent along; never the case, never who complained."""

    question_id: UUID
    unit: UnitCode
    text: str
    asked_at: Moment
    due_on: date | None
    answer: str | None = None
    answered_at: Moment | None = None
    media: list[Attachment] = []


class UnitQuestions(Answer):
    items: list[UnitQuestion]


class AnswerUnitQuestion(Request):
    """RPC tracking.answer_unit_question → UnitQuestion. AlreadyDone is WrongStage; idempotent by its key."""

    actor: Actor
    question_id: UUID
    text: LongText
    uploads: Annotated[list[UploadId], Field(max_length=10)] = []
    idempotency_key: Annotated[str, Field(min_length=8, max_length=100)]


class ListRecommendations(Request):
    """RPC tracking.list_recommendations → Recommendations: for a liaison those to the unit and all below it, for who sees
    cases those of the cases they may see; the soonest due first."""

    actor: Actor
    unit: UnitCode | None = None
    open_only: bool = True


class Recommendations(Answer):
    items: list[FollowedRecommendation]


class ReportRecommendation(Request):
    """RPC tracking.report_recommendation → FollowedRecommendation. By the unit's liaison; declined only with a reason."""

    actor: Actor
    recommendation_id: UUID
    done: bool
    reason: LongText | None = None
    idempotency_key: Annotated[str, Field(min_length=8, max_length=100)]


class AuthorizeMedia(Request):
    """RPC tracking.authorize_media → MediaGrant; UnknownCase when this caller may not see this media."""

    actor: Actor | None = None
    code_hashes: list[KeyedHash] = []
    case_id: UUID | None = None
    question_id: UUID | None = None
    media_id: UploadId


class MediaGrant(Answer):
    """`label`: what the media is saved as, before its suffix."""

    media_id: UploadId
    case_id: UUID
    label: str = "evidence-1"


class AuthorizeIdentity(Request):
    """RPC tracking.authorize_identity → IdentityGrant: whether the actor, head or custodian, may open who filed this case.
    UnknownCase when there is none, or it is about a unit they belong to; ConsentNeeded while no custodian has consented."""

    actor: Actor
    case_id: UUID


class IdentityGrant(Answer):
    """`consented_by`: the custodian; None where the kind of case needs no consent."""

    case_id: UUID
    consented_by: UUID | None = None
