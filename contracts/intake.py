"""What intake says and answers: the catalogue of units, grounds and kinds, and submissions."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Contract, Event, GroundCode, KeyedHash, Moment, Request, Sealed, UnitCode, UploadId
from contracts.gateway import Actor, AnswerValue, Identity, Place
from contracts.vocabulary import Channel, Kind, Language, Outcome

PRODUCER = "intake"

ListCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class QuestionType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"


class Option(Contract):
    value: str
    name_fa: str
    name_en: str


QuestionCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Condition(Answer):
    """A question is asked when the earlier question `question` was answered with one of `values`."""

    question: QuestionCode
    values: list[str]


class Question(Contract):
    """One extra question of a ground. `options` only for choice and choices; without `when` it is always asked."""

    code: QuestionCode
    type: QuestionType
    name_fa: str
    name_en: str
    required: bool = False
    options: list[Option] = []
    # Left out where there is none, so that a process of the release before can read what has no condition.
    when: Condition | None = Field(default=None, exclude_if=lambda when: when is None)


class Ground(Contract):
    code: GroundCode
    kinds: list[Kind]
    name_fa: str
    name_en: str
    hint_fa: str = ""
    hint_en: str = ""
    questions: list[Question] = []


class Unit(Contract):
    """One unit of the tree. `parent` is None for the root, which is never itself complained about."""

    code: UnitCode
    parent: UnitCode | None
    level: str
    name_fa: str
    name_en: str
    active: bool = True


class DeadlineRule(Answer):
    """Working days for one step. A rule is for every kind, ground or urgency that it does not name; of those that fit,
    the one that names the most wins (DOMAIN: The life of a case)."""

    kind: Kind | None = None
    ground: GroundCode | None = None
    urgent: bool | None = None
    step: Literal["decision", "first_reading", "unit", "citizen", "objection"] = "decision"
    days: int


class ListedReason(Answer):
    """A reason for refusing, with the address where the citizen may turn instead; a closed one is not offered."""

    code: ListCode
    name_fa: str
    name_en: str
    address_fa: str = ""
    address_en: str = ""
    active: bool = True


class ListedCause(Answer):
    """A root cause of what was upheld; a closed one is not offered."""

    code: ListCode
    name_fa: str
    name_en: str
    active: bool = True


class AnswerTemplate(Answer):
    """A text the office answers with again and again; for every kind or ground that it does not name."""

    code: ListCode
    kind: Kind | None = None
    ground: GroundCode | None = None
    text_fa: str
    text_en: str


class RetentionRule(Answer):
    """How many months after closing the identity and the evidence of a case are kept. `outcome` None: every one for
    which no other rule of the kind stands."""

    kind: Kind
    outcome: Outcome | None = None
    identity_months: int
    evidence_months: int


class Catalogue(Answer):
    """What the administrator sets, whole. `version` grows with each change and is the ETag.

    `weekend`: days of the week, Monday 0. `four_eyes`: kinds whose decisions a head approves. `auto_close_days`: working
    days after which a case that was decided is closed.
    """

    version: int
    units: list[Unit]
    grounds: list[Ground]
    holidays: list[date] = []
    weekend: list[int] = [3, 4]
    deadlines: list[DeadlineRule] = []
    refusal_reasons: list[ListedReason] = []
    root_causes: list[ListedCause] = []
    answer_templates: list[AnswerTemplate] = []
    four_eyes: list[Kind] = []
    auto_close_days: int = 10
    retention: list[RetentionRule] = []


class CatalogueChanged(Event):
    """Carries the whole catalogue, so that nobody has to ask back; a lower version than one's own is old news."""

    name: ClassVar[str] = "catalogue.changed.v1"
    producer: ClassVar[str] = PRODUCER

    catalogue: Catalogue


class SubmissionRegistered(Event):
    """A submission is in intake's database. From here tracking opens the case with `case_id`.

    `sealed_contact` can be opened by notify alone; None when there is no way to reach the citizen.
    `unit` is None when the unit asked for is unknown, closed or the root: screening sets it right (`unit_asked`).
    """

    name: ClassVar[str] = "submission.registered.v1"
    producer: ClassVar[str] = PRODUCER

    case_id: UUID
    code_hash: KeyedHash
    kind: Kind
    unit: UnitCode | None
    unit_asked: str
    unit_name_fa: str | None = None
    unit_name_en: str | None = None
    ground: GroundCode
    answers: dict[str, AnswerValue] = {}
    text: str
    happened_on: str | None = None
    place: Place | None = None
    reference: str | None = None
    people: list[str] = []
    visit_wanted: bool = False
    uploads: list[UploadId] = []
    channel: Channel
    language: Language
    filed_at: Moment
    anonymous: bool
    citizen_id: UUID | None = None
    sealed_contact: Sealed | None = None
    mobile_hash: KeyedHash | None = None
    content_hash: KeyedHash


class SubmissionRecoded(Event):
    """Two submissions met on one code: this later one has a new code, told by its receipt and, sealed here, by SMS."""

    name: ClassVar[str] = "submission.recoded.v1"
    producer: ClassVar[str] = PRODUCER

    case_id: UUID
    old_code_hash: KeyedHash
    code_hash: KeyedHash
    sealed_contact: Sealed | None = None


class GetCatalogue(Request):
    """RPC intake.get_catalogue → Catalogue."""


class CheckReceipt(Request):
    """RPC intake.check_receipt → ReceiptState. Asked by whoever holds the receipt (its id) and the code on it."""

    submission_id: UUID
    code_hashes: list[KeyedHash]


class ReceiptState(Answer):
    """`registered`: it is stored. `new_code`: only when the code on the receipt met another submission's; the code
    that replaces it, in the clear for the holder of the receipt, 16 digits."""

    registered: bool
    registered_at: Moment | None = None
    new_code: str | None = None


class OpenIdentity(Request):
    """RPC intake.open_identity → OpenedIdentity. Allowed to head and custodian; each opening is recorded with its reason."""

    actor: Actor
    case_id: UUID
    reason: Annotated[str, Field(min_length=5, max_length=500)]


class OpenedIdentity(Answer):
    identity: Identity
