"""What intake says and answers: the catalogue of units, grounds and kinds, and submissions."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, Contract, Event, GroundCode, KeyedHash, Moment, Request, Sealed, UnitCode, UploadId
from contracts.gateway import Actor, AnswerValue, Identity, Place
from contracts.vocabulary import Channel, Kind, Language

PRODUCER = "intake"


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


class Question(Contract):
    """One extra question of a ground. `options` only for choice and choices."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    type: QuestionType
    name_fa: str
    name_en: str
    required: bool = False
    options: list[Option] = []


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


class Catalogue(Answer):
    """Everything a form needs, whole. `version` grows with each change and is the ETag."""

    version: int
    units: list[Unit]
    grounds: list[Ground]
    holidays: list[date] = []


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
