"""The counter and the phone: what an operator does with what they filed for citizens, and what these say of it afterwards."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import (
    Answer,
    Contract,
    GroundCode,
    KeyedHash,
    Moment,
    PageRequest,
    Request,
    Sealed,
    UnitCode,
)
from contracts.gateway import Actor
from contracts.intake import IntakeEvent
from contracts.vocabulary import Channel, ConsentForm, Kind, Stage

LastDigits = Annotated[str, Field(pattern=r"^\d{4}$", description="of a mobile")]
Key = Annotated[str, Field(max_length=100)]


# --- events ---


class SubmissionClaimed(IntakeEvent):
    """Whom an operator filed this for has signed in with the mobile given there and confirmed that it is theirs. `attempt`:
    the code it had then (SubmissionRecoded.attempt, 0 for the first): a later correction of the mobile takes it away."""

    name: ClassVar[str] = "submission.claimed.v1"

    case_id: UUID
    citizen_id: UUID
    attempt: int = 0


class SubmissionDisowned(IntakeEvent):
    """Whoever has the mobile that an operator was given says that this is not theirs: no message goes there any more."""

    name: ClassVar[str] = "submission.disowned.v1"

    case_id: UUID
    filed_by: UUID
    attempt: int = 0


# --- the operator's list (tracking) ---


class ListDeskCases(PageRequest):
    """RPC tracking.list_desk_cases → DeskCases. To an operator what they filed themselves, newest first; of units in which they
    have a conflict of interest none. `case_ids`: only of these."""

    actor: Actor
    number: Annotated[str, Field(max_length=20)] | None = None
    kind: Kind | None = None
    filed_from: date | None = None
    filed_until: date | None = None
    case_ids: list[UUID] | None = None


class DeskCase(Answer):
    """What an operator may know of what they filed: nothing that was written, nor who it is. `to_sms`: the citizen is reached by
    SMS; `confirmed`: they have signed in and confirmed it; `correctable_until`: the last day on which the operator may
    correct the mobile, Tehran."""

    case_id: UUID
    number: str
    kind: Kind
    unit: UnitCode | None
    unit_name_fa: str | None = None
    unit_name_en: str | None = None
    ground: GroundCode
    stage: Stage
    channel: Channel
    filed_at: Moment
    anonymous: bool
    consent: ConsentForm
    to_sms: bool
    confirmed: bool
    correctable_until: date


class DeskCases(Answer):
    items: list[DeskCase]
    next: str | None = None


class AuthorizeDesk(Request):
    """RPC tracking.authorize_desk → DeskGrant. Whether the actor may do this at the counter with a case, by its id or number.

    `receipt`, `mobile`: the operator who filed it, or a head; the mobile within so many working days, afterwards a head alone
    (CorrectionTooLate). `lost_code`: any operator or head. UnknownCase for all others, and where there is a conflict of interest.
    """

    actor: Actor
    act: Literal["receipt", "mobile", "lost_code"]
    case_id: UUID | None = None
    number: Annotated[str, Field(max_length=20)] | None = None


class DeskGrant(Answer):
    case_id: UUID


# --- the operator's commands (intake) ---


class FindFiled(Request):
    """RPC intake.find_filed → FiledIds. Of what this operator filed, by the last digits of the mobile that they typed."""

    actor: Actor
    last_digits: LastDigits


class FiledIds(Answer):
    items: list[UUID]


class CorrectMobile(Request):
    """RPC intake.correct_mobile → ReplacedCode. In place of a mistyped mobile of what an operator filed; tracking said that
    they may (AuthorizeDesk). `sealed_identity`: an Identity with the right mobile alone, sealed to intake; `mobile_hash`: its
    keyed hash.

    AnonymousFiling where nobody is named; InvalidField (mobile_disowned) for a mobile whose owner said that it is not theirs. The
    code is replaced; whoever confirmed it with the old mobile has it no more.
    """

    actor: Actor
    case_id: UUID
    idempotency_key: Key
    sealed_identity: Sealed
    mobile_hash: KeyedHash


class LostCodeAnswers(Contract):
    """What `ReplaceLostCode.sealed_answers` holds: what a citizen without their code answered, two at least. `filed_on`: the day
    in Tehran."""

    national_id: str | None = None
    mobile_digits: LastDigits | None = None
    filed_on: date | None = None
    unit: UnitCode | None = None
    ground: GroundCode | None = None


class ReplaceLostCode(Request):
    """RPC intake.replace_lost_code → ReplacedCode. For operator and head. `case_id` None: there is no such case for them. No code
    goes to a mobile whose owner said that this is not theirs.

    IdentityNotConfirmed whatever was wrong, TooMany after a few wrong tries for one case or by one person. Each is recorded.
    """

    actor: Actor
    case_id: UUID | None
    idempotency_key: Key
    sealed_answers: Sealed


class ReplacedCode(Answer):
    """`by_sms`: the new code goes to the citizen's mobile, and nobody else sees it. Else `code`, 16 digits, for their paper."""

    by_sms: bool
    code: Annotated[str, Field(pattern=r"^\d{16}$")] | None = None


class PrintReceipt(Request):
    """RPC intake.print_receipt → FiledReceipt. For the operator who filed it and for heads; tracking said that they may.

    `code_hashes`: of the tracking code that is to be printed on it; none: it is printed without one. InvalidField
    `tracking_code`, when it is another submission's or was replaced."""

    actor: Actor
    case_id: UUID
    code_hashes: list[KeyedHash] = []


class FiledReceipt(Answer):
    """All that a receipt's signature is over."""

    submission_id: UUID
    filed_at: Moment
    kind: Kind
    content_hash: KeyedHash


# --- the citizen ---


class ListFiledForMe(Request):
    """RPC intake.list_filed_for_me → FiledForMe. To a signed-in citizen: what operators filed with their verified mobile and
    nobody has confirmed or disowned. Until then no more of it than they need to recognise it."""

    actor: Actor
    mobile_hash: KeyedHash


class FiledForMeItem(Answer):
    case_id: UUID
    kind: Kind
    unit_name_fa: str | None = None
    unit_name_en: str | None = None
    channel: Channel
    filed_at: Moment


class FiledForMe(Answer):
    items: list[FiledForMeItem]


class AnswerFiledForMe(Request):
    """RPC intake.answer_filed_for_me → FiledForMe, those that are left. `mine`: it is theirs from now on, and among their cases;
    else it is not theirs, and the operator is told. UnknownCase for what was not filed with this mobile. Once: AlreadyDecided
    for the other answer afterwards."""

    actor: Actor
    mobile_hash: KeyedHash
    case_id: UUID
    mine: bool
