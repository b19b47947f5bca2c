"""What the gateway publishes: submissions to intake, and what SMS providers push, to notify."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import ConfigDict, Field

from contracts.base import Command, Contract, GroundCode, KeyedHash, Moment, Sealed, UnitCode, UploadId
from contracts.vocabulary import ActorKind, Channel, ConsentForm, ConsentTo, Kind, Language, Role

AnswerValue = str | int | float | bool | list[str]


class Actor(Contract):
    """Who asks. Made by the gateway from a token or a code it has checked, and trusted on the bus.

    `id`: the citizen's or staff member's UUID as text; for a bearer the code's keyed hash; "system" for ourselves.
    """

    kind: ActorKind
    id: str
    roles: frozenset[Role] = frozenset()
    unit: UnitCode | None = None
    language: Language = Language.FA


class Place(Contract):
    """Where it happened: a point (WGS 84 degrees), or words, or both."""

    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    address: Annotated[str, Field(max_length=500)] | None = None


class Identity(Contract):
    """Who complains. Travels only sealed to intake; never stored in the clear."""

    name: Annotated[str, Field(max_length=100)] | None = None
    national_id: Annotated[str, Field(pattern=r"^\d{10}$")] | None = None
    mobile: Annotated[str, Field(pattern=r"^\+98\d{10}$")] | None = None


class Contact(Contract):
    """What notify needs to reach a citizen. Travels and rests only sealed to notify's key.

    `code`: the 16-digit tracking code, or None in a message that is about no case.
    """

    mobile: Annotated[str, Field(pattern=r"^\+98\d{10}$")] | None = None
    code: Annotated[str, Field(pattern=r"^\d{16}$")] | None = None
    language: Language = Language.FA


class Consent(Contract):
    """How a citizen agreed that an operator files for them, to what, and which operator wrote it down when. Neither who the
    citizen is nor what they said."""

    form: ConsentForm
    to: list[ConsentTo]
    recorded_by: UUID
    recorded_at: Moment


class Group(Contract):
    """A complaint of several people, filed by the one who represents them. `members`: how many they are, the representative
    among them; `common`: what they have in common."""

    members: Annotated[int, Field(ge=2)]
    common: Annotated[str, Field(min_length=1, max_length=1_000)]


class GroupMember(Contract):
    """One of a group besides its representative."""

    name: Annotated[str, Field(max_length=100)] | None = None
    mobile: Annotated[str, Field(pattern=r"^\+98\d{10}$")] | None = None


class GroupMembers(Contract):
    """What `FileSubmission.sealed_members` holds; never stored in the clear."""

    items: list[GroupMember]


FILED_CONTENT = ("answers", "text", "happened_on", "place", "reference", "people", "visit_wanted")
"""What a submission says, as fields of its body, of its messages and of the case."""


class FiledSubmission(Contract):
    """What was filed, as it travels before and after it is registered.

    `sealed_contact` can be opened by notify alone; None when there is no way to reach the citizen. `content_hash`: SHA-256 of
    what was filed, part of the receipt. `consent`: of whom an operator files for.
    """

    kind: Kind
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
    citizen_id: UUID | None = None
    sealed_contact: Sealed | None = None
    mobile_hash: KeyedHash | None = None
    content_hash: KeyedHash
    consent: Consent | None = None
    group: Group | None = None


class FileSubmission(FiledSubmission, Command):
    """One submission, published persistent, mandatory and confirmed to `intake.submissions` before the 201.

    `code_hash`: under the current one of the gateway's keys; `other_code_hashes`: under each other one it holds, since a
    submission before the keys rotated may have had the same code.
    `retryable`: the code was derived from an Idempotency-Key, so the same `submission_id` and `code_hash` may come again and
    mean the same submission.
    `unit` and `ground` were checked against the gateway's catalogue when it had one (`catalogue_version`), else only
    for their form. Without ConsentTo.SMS in `consent` there is no `sealed_contact`.
    `group`: the others of it who were named are in `sealed_members`, sealed to intake.
    `identity_mobile_hash`: of the mobile in `sealed_identity`, where an operator files and no message may go to it.
    """

    name: ClassVar[str] = "file_submission.v1"

    submission_id: UUID
    code_hash: KeyedHash
    retryable: bool = False
    unit: UnitCode
    filed_by: UUID | None = None
    sealed_identity: Sealed | None = None
    catalogue_version: int | None = None
    sealed_members: Annotated[str, Field(max_length=131_072)] | None = None
    other_code_hashes: list[KeyedHash] = []
    identity_mobile_hash: KeyedHash | None = None


class PushKind(StrEnum):
    """What an SMS provider pushes to its webhook."""

    INBOUND = "inbound"  # a text that a handset sent to the office's number
    DELIVERY = "delivery"  # what became of a message


class ReceiveSmsPush(Command):
    """What an SMS provider pushed to its webhook, as it came; to `notify.inbound`, which opens and parses it.

    `provider`: as in the webhook's path. `sealed_push`: an `SmsPush`, sealed to notify.
    """

    name: ClassVar[str] = "receive_sms_push.v1"

    provider: str
    sealed_push: Annotated[str, Field(max_length=262_144)]
    received_at: Moment


class SmsPush(Contract):
    """What `ReceiveSmsPush.sealed_push` holds: the request without its address. `query`: as it was sent, without the "?"."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")

    kind: PushKind
    query: str = ""
    content_type: str = ""
    body: bytes = b""
