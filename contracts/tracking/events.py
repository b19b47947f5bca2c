"""What tracking publishes: events of a case.

Events carry a whole `CaseSnapshot`, so a consumer keeps the one with the highest `sequence` and is right in any order."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import CaseEvent, Contract, GroundCode, KeyedHash, ListCode, Moment, UnitCode, UploadId
from contracts.notify import Reply
from contracts.tracking.fields import PRODUCER, ColleagueChange, DeadlineStep, Mistake
from contracts.vocabulary import ActorKind, Channel, KeptPart, Kind, Outcome, Stage


class CaseSnapshot(Contract):
    """The case after this event, without texts or persons. `expected_on`: the day a decision is owed, Tehran.

    `object_until`: the last day on which the citizen may object to how it ended; of a case that was closed since they did not
    answer, the last day on which one message of theirs reopens it. `rate_until`: of a closed case, the last day for a rating.
    """

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
    co_handlers: list[UUID] = []
    consulted: list[UUID] = []
    citizen_id: UUID | None = None
    code_hash: KeyedHash | None = None
    score: int | None = None
    object_until: date | None = None
    rate_until: date | None = None


class TrackedEvent(CaseEvent):
    """What every event of tracking is.

    `noticed`: whether what the citizen sees of the case has changed with it; nothing about it reaches them otherwise.
    `by_kind`, `by_staff`: who did it, for the staff alone; a citizen is never named. `public_version`: the `version` of
    PublicCase after it, in which the office's own entries are not counted; None where `noticed` is False, and in old events."""

    producer: ClassVar[str] = PRODUCER
    state: CaseSnapshot
    noticed: bool = True
    public_version: int | None = None
    by_kind: ActorKind | None = None
    by_staff: UUID | None = None


class ConcludingEvent(TrackedEvent):
    """What ends work on a case, or a part of it. `workers`: everybody of the staff who worked on it, but who did this;
    `unit_released`: whose answer is waited for no longer."""

    workers: list[UUID] = []
    unit_released: UnitCode | None = None


class CaseOpened(TrackedEvent):
    """A submission has become a case, with its number and the day a decision is owed."""

    name: ClassVar[str] = "case.opened.v1"


class CaseStageChanged(ConcludingEvent):
    """A change of stage that no event below tells: screening began, closed, reopened."""

    name: ClassVar[str] = "case.stage_changed.v1"


class CaseCorrected(TrackedEvent):
    """Unit, ground, kind or urgency were set right in screening."""

    name: ClassVar[str] = "case.corrected.v1"


class CaseAssigned(TrackedEvent):
    """`state.handler` is the inspector; the case is now investigated (or reviewed)."""

    name: ClassVar[str] = "case.assigned.v1"


class HandlerLeft(TrackedEvent):
    """Whoever handled the open case may not any more, and nobody was named to take it: the head assigns it. `because` left: the
    account was closed; role: it is no inspector's any more; conflict: they came to belong to the unit complained about."""

    name: ClassVar[str] = "case.handler_left.v1"
    because: Literal["left", "role", "conflict"]


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


class UnitWithoutLiaison(TrackedEvent):
    """Nobody answers for the unit that was asked, or for one above it: its question waits for no one."""

    name: ClassVar[str] = "case.unit_without_liaison.v1"
    question_id: UUID
    unit_asked: UnitCode


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


class ColleaguesChanged(TrackedEvent):
    """A second inspector came or went, or another was asked for advice by `asked_by`; what was asked and said does not travel.
    `ended_with_case`: since the case is over, or has no inspector any more."""

    name: ClassVar[str] = "case.colleagues_changed.v1"
    what: ColleagueChange
    colleague: UUID
    asked_by: UUID | None = None
    ended_with_case: bool = False


class EvidenceAdded(TrackedEvent):
    """Uploads that came after filing; media keeps them. `by_citizen`: who filed the case sent them; else the office.
    `with_message`: they came with a message, which has an event of its own."""

    name: ClassVar[str] = "case.evidence_added.v1"
    uploads: list[UploadId]
    by_citizen: bool = False
    with_message: bool = False


class EvidenceRefused(TrackedEvent):
    """Files that the citizen sent cannot be taken; why is told with the case. `first`: none was refused in this case before."""

    name: ClassVar[str] = "case.evidence_refused.v1"
    media: list[UploadId]
    first: bool = True


class CaseDecided(ConcludingEvent):
    """`final`: after an objection, which can be raised once. `early`: settled with the citizen at first reading, without an
    investigation."""

    name: ClassVar[str] = "case.decided.v1"
    outcome: Outcome
    root_causes: list[ListCode] = []
    final: bool = False
    objection_until: date | None = None
    recommended_to: UnitCode | None = None
    early: bool = False


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


class MergedCaseDecided(TrackedEvent):
    """The case that this merged one goes on in was decided. Of that case nothing travels but its outcome."""

    name: ClassVar[str] = "case.joined_decided.v1"
    outcome: Outcome
    final: bool = False


class MergedCaseRefused(TrackedEvent):
    """The case that this merged one goes on in is not handled, for a reason that holds for this one, too."""

    name: ClassVar[str] = "case.joined_refused.v1"
    reason: ListCode
    reason_fa: str | None = None
    reason_en: str | None = None


class CaseReopened(ConcludingEvent):
    """The case is screened again. `mistake`: what the office took back as its own mistake; None: the case that this merged one
    went on in ended and decided nothing. `recommended_to`: the unit whose recommendations are void with the decision."""

    name: ClassVar[str] = "case.reopened.v1"
    mistake: Mistake | None = None
    recommended_to: UnitCode | None = None


class CaseReturned(ConcludingEvent):
    """The case goes back to screening from the inquiry, since unit, kind or ground is wrong. Nobody handles it."""

    name: ClassVar[str] = "case.returned.v1"


class MergedCaseReopened(TrackedEvent):
    """What the citizen of this merged case was told of the case that it goes on in was taken back: that one is screened again."""

    name: ClassVar[str] = "case.joined_reopened.v1"


class CaseJoined(TrackedEvent):
    """Another case was merged into this one. `visit_wanted`: its citizen wishes to come."""

    name: ClassVar[str] = "case.duplicate_joined.v1"
    merged: UUID
    visit_wanted: bool = False


class CaseParted(TrackedEvent):
    """A case that was merged into this one by mistake is its own again."""

    name: ClassVar[str] = "case.duplicate_parted.v1"
    merged: UUID


class CaseWithdrawn(ConcludingEvent):
    """The citizen took the case back."""

    name: ClassVar[str] = "case.withdrawn.v1"


class CaseObjected(TrackedEvent):
    """The citizen objected to the decision; another inspector reviews it. `reply_id`: of the CitizenReplied by which they did."""

    name: ClassVar[str] = "case.objected.v1"
    reply_id: UUID | None = None


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
    """`by` citizen; office: it cannot hold it, and another time is to be chosen; ended: the case ended before. `because`: of the
    office, when its day has become a holiday. `inspector`: whose slot it was, where they are to be told."""

    name: ClassVar[str] = "visit.cancelled.v1"
    by: Literal["citizen", "office", "ended"]
    because: Literal["holiday"] | None = None
    inspector: UUID | None = None


class VisitHandedOver(VisitEvent):
    """Somebody else holds the booked visit, at the same time and place: `inspector`; None: the head sees to it, since nobody was
    named."""

    name: ClassVar[str] = "visit.handed_over.v1"
    inspector: UUID | None = None


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
    """The citizen rated how the case was handled; `score` 1–5. `reply_id`: of the CitizenReplied by which they did."""

    name: ClassVar[str] = "case.rated.v1"
    score: Annotated[int, Field(ge=1, le=5)]
    reply_id: UUID | None = None


class ReplyRefused(TrackedEvent):
    """What the citizen answered by SMS has no effect: the time for it is over (late), it was said before (known), the decision is
    final, or the case does not wait for it (no_effect). `reply_id`: of their CitizenReplied."""

    name: ClassVar[str] = "case.reply_refused.v1"
    reply: Reply
    reason: Literal["late", "known", "final", "no_effect"]
    reply_id: UUID


class CitizenReminded(TrackedEvent):
    """The question to the citizen waits for its answer still; after `close_on` the case is closed as unanswered."""

    name: ClassVar[str] = "case.citizen_reminded.v1"
    close_on: date


class CaseUnanswered(TrackedEvent):
    """The case is closed since the citizen did not answer; one message of theirs until `object_until` reopens it."""

    name: ClassVar[str] = "case.closed_unanswered.v1"
    object_until: date


class CaseResumed(TrackedEvent):
    """A case that was closed as unanswered goes on, since the citizen asked for it without answering the question. `reply_id`: of
    the CitizenReplied by which they did."""

    name: ClassVar[str] = "case.resumed.v1"
    reply_id: UUID | None = None


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


class CaseReferred(TrackedEvent):
    """The case was referred to a competent body outside; what was sent does not travel. `identity`: who filed it went with it."""

    name: ClassVar[str] = "case.referred.v1"
    referral_id: UUID
    body: ListCode
    identity: bool = False


class ReferralAnswered(TrackedEvent):
    """The body to which the case was referred answered; what it wrote does not travel."""

    name: ClassVar[str] = "case.referral_answered.v1"
    referral_id: UUID
    body: ListCode
    outcome: Literal["received", "accepted", "declined", "concluded"]


class CaseCodeReplaced(TrackedEvent):
    """The case answers to another code from here on (`state.code_hash`), and to its earlier one no more."""

    name: ClassVar[str] = "case.code_replaced.v1"


class CaseClaimed(TrackedEvent):
    """What an operator filed is among the cases of the citizen who confirmed it (`state.citizen_id`)."""

    name: ClassVar[str] = "case.claimed.v1"


class CaseReminded(TrackedEvent):
    """The day has come of which `staff` wanted to be reminded. What for does not travel."""

    name: ClassVar[str] = "case.reminded.v1"
    staff: UUID
