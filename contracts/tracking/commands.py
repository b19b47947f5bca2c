"""Commands on a case: of staff, and of the citizen who filed it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import Contract, GroundCode, ListCode, Moment, UnitCode, UploadId
from contracts.gateway import Place
from contracts.tracking.fields import LongText, ShortText
from contracts.visits import StaffVisitCommand, VisitCommand
from contracts.vocabulary import Channel, Kind, Outcome


class StartScreening(Contract):
    type: Literal["start_screening"] = "start_screening"


class Correct(Contract):
    """Sets right what the citizen chose; only what is given changes."""

    type: Literal["correct"] = "correct"
    unit: UnitCode | None = None
    ground: GroundCode | None = None
    urgent: bool | None = None
    kind: Kind | None = None


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


class ReturnToScreening(Contract):
    """Unit, kind or ground turns out to be wrong: the case is screened again. `reason`: for the office alone."""

    type: Literal["return_to_screening"] = "return_to_screening"
    reason: LongText


class Reopen(Contract):
    """The office takes back what was its mistake: a refusal, a decision, a closing, a merge. `reason`: for the office alone."""

    type: Literal["reopen"] = "reopen"
    reason: LongText


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
    """`redacts`: the attachment of the case of which the one upload is the version without what must not be seen."""

    type: Literal["add_evidence"] = "add_evidence"
    uploads: Annotated[list[UploadId], Field(min_length=1, max_length=10)]
    redacts: UploadId | None = Field(default=None, exclude_if=lambda original: original is None)


class Recommendation(Contract):
    text: LongText
    due_on: date


class Decide(Contract):
    """`reasons` are told to the citizen. An upheld or partly upheld case names at least one root cause, of those that the
    administrator offers. `articles`: those of the library that it cites, all in force that day."""

    type: Literal["decide"] = "decide"
    outcome: Outcome
    reasons: LongText
    root_causes: list[ListCode] = []
    recommendations: list[Recommendation] = []
    articles: list[ListCode] = Field(default=[], exclude_if=lambda articles: not articles)


class SettleEarly(Contract):
    """At first reading, the citizen agrees that the matter is settled: decided without an investigation.

    `agreement`: what the citizen said to who gives the command, `agreed_at` when and `agreed_by` which channel; for the office
    alone. `consented`: they agreed that this is written down and ends the investigation. `reasons` are told to the citizen."""

    type: Literal["settle_early"] = "settle_early"
    agreement: LongText
    agreed_at: Moment
    agreed_by: Channel
    consented: bool
    reasons: LongText


class Close(Contract):
    type: Literal["close"] = "close"


class Propose(Contract):
    """A decision for the head to approve. `articles` are judged again on the day of the approval."""

    type: Literal["propose"] = "propose"
    outcome: Outcome
    reasons: LongText
    root_causes: list[ListCode] = []
    recommendations: list[Recommendation] = []
    articles: list[ListCode] = Field(default=[], exclude_if=lambda articles: not articles)


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


class AddCoHandler(Contract):
    """A second inspector, who sees the case and does what its inspector does, but for deciding who handles it."""

    type: Literal["add_co_handler"] = "add_co_handler"
    inspector: UUID


class RemoveCoHandler(Contract):
    type: Literal["remove_co_handler"] = "remove_co_handler"
    inspector: UUID


class ConsultColleague(Contract):
    """Asks another inspector, who sees the case until they have answered; it stays with its inspector."""

    type: Literal["consult_colleague"] = "consult_colleague"
    colleague: UUID
    text: LongText


class AnswerConsultation(Contract):
    """By who is consulted; for the office alone."""

    type: Literal["answer_consultation"] = "answer_consultation"
    consultation_id: UUID
    text: LongText


class EndConsultation(Contract):
    """No answer is needed any more."""

    type: Literal["end_consultation"] = "end_consultation"
    consultation_id: UUID


StaffCommand = Annotated[
    StartScreening
    | Correct
    | Refuse
    | Merge
    | Assign
    | ReturnToScreening
    | Reopen
    | AskCitizen
    | AskUnit
    | AddNote
    | AddEvidence
    | Decide
    | Propose
    | Approve
    | ReturnProposal
    | SettleRecommendation
    | SettleEarly
    | Remind
    | AddCheck
    | TickCheck
    | LinkCase
    | AddCoHandler
    | RemoveCoHandler
    | ConsultColleague
    | AnswerConsultation
    | EndConsultation
    | Close
    | StaffVisitCommand,
    Field(discriminator="type"),
]


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


class SendMessage(Contract):
    """What the citizen writes without having been asked, while the case is open; the stage stays. MessagesFull beyond what one
    case takes, EvidenceFull beyond its files."""

    type: Literal["send_message"] = "send_message"
    text: LongText
    uploads: Annotated[list[UploadId], Field(max_length=10)] = []


class CorrectMessage(Contract):
    """The message reads like this. Its former text is kept for the office. TooLate once its time is over."""

    type: Literal["correct_message"] = "correct_message"
    message_id: UUID
    text: LongText


class WithdrawMessage(Contract):
    """The message is taken back. Staff who have read the case since it was sent go on seeing its text, marked; for everybody
    else a mark stands in its place. TooLate once its time is over."""

    type: Literal["withdraw_message"] = "withdraw_message"
    message_id: UUID


class CorrectFiled(Contract):
    """What was filed reads like this: `text`, `place`; what is None stays. What it said before is kept for the office. TooLate
    once its time is over or the first reading has begun."""

    type: Literal["correct_filed"] = "correct_filed"
    text: LongText | None = None
    place: Place | None = None


class WithdrawEvidence(Contract):
    """A file is taken back, as a message is."""

    type: Literal["withdraw_evidence"] = "withdraw_evidence"
    media_id: UploadId


CitizenCommand = Annotated[
    AnswerQuestion
    | Withdraw
    | RaiseObjection
    | Rate
    | SendEvidence
    | SendMessage
    | CorrectMessage
    | WithdrawMessage
    | CorrectFiled
    | WithdrawEvidence
    | VisitCommand,
    Field(discriminator="type"),
]
