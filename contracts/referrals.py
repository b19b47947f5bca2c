"""Referring a case to a competent body outside the municipality: what goes into the sealed package, and the register of what
was sent and answered (DOMAIN: Law and trust, as configuration)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.base import Answer, GroundCode, KeyedHash, ListCode, Moment, PageRequest, Request, UnitCode, UploadId
from contracts.gateway import Actor, AnswerValue, Group, Place
from contracts.intake import OutsideBody
from contracts.searches import Key
from contracts.vocabulary import Channel, Kind, Outcome, Stage

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, hex")]
ReferralReason = Annotated[str, Field(min_length=5, max_length=2_000)]
MAX_ATTACHMENTS = 100


class ReferralOutcome(StrEnum):
    """What the body answered."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CONCLUDED = "concluded"


class PackagedFile(Answer):
    """A file in a package: its path there, its size in bytes, the hash of its bytes."""

    name: Annotated[str, Field(max_length=200)]
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class Package(Answer):
    """A package as it was handed out: the hash and size of the encrypted file. Each is encrypted anew, so each has a hash of
    its own."""

    sha256: Sha256
    size: int
    made_at: Moment


class ReferralAnswer(Answer):
    """What the body answered. `number`: theirs. `text` None: to the auditor, who sees none, and when its time is over."""

    answer_id: UUID
    answered_on: date
    number: str | None
    outcome: ReferralOutcome
    text: str | None
    recorded_by: UUID
    recorded_by_name: str | None = None
    recorded_at: Moment


class Referral(Answer):
    """A line of the register. `body_name_…`: what the body was called that day; `key_fingerprint`: SHA-256 of the key's text,
    to which all of `packages` were encrypted. `identity`: who filed the case went with it, with the consent of `consented_by`.
    `contents`: what was in the package. The package itself is not kept. `answers`: of the body, the oldest first."""

    referral_id: UUID
    case_id: UUID
    case_number: str
    body: ListCode
    body_name_fa: str
    body_name_en: str
    key_fingerprint: Sha256
    identity: bool
    consented_by: UUID | None = None
    consented_by_name: str | None = None
    reason: str | None
    contents: list[PackagedFile]
    packages: list[Package]
    made_by: UUID
    made_by_name: str | None = None
    made_at: Moment
    answers: list[ReferralAnswer] = []


class Referrals(Answer):
    """`next`: the cursor of the page after."""

    items: list[Referral]
    next: str | None = None


class ReferredEntry(Answer):
    """A line of the timeline as another body may know it: neither who nor what was written."""

    at: Moment
    entry: str
    stage: Stage


class ReferredFile(Answer):
    """A piece of evidence that goes with it. `label`: what it is called in the package, before its suffix."""

    media_id: UploadId
    label: str
    media_type: str | None = None
    size: int | None = None
    from_office: bool = False


class ReferredCase(Answer):
    """A case as another body reads it: without the citizen, the code, and anybody of the staff. `reasons`: of the decision."""

    number: str
    kind: Kind
    stage: Stage
    unit: UnitCode | None
    unit_name_fa: str | None
    unit_name_en: str | None
    ground: GroundCode
    ground_name_fa: str | None = None
    ground_name_en: str | None = None
    answers: dict[str, AnswerValue] = {}
    text: str
    happened_on: str | None = None
    place: Place | None = None
    reference: str | None = None
    people: list[str] = []
    group: Group | None = None
    channel: Channel
    anonymous: bool
    filed_at: Moment
    outcome: Outcome | None = None
    reasons: str | None = None
    decided_at: Moment | None = None
    timeline: list[ReferredEntry] = []
    history_hash: KeyedHash


class PrepareReferral(Request):
    """RPC tracking.prepare_referral → ReferralDraft: what goes into the package. By a head; nothing is changed. `attachments`
    None: all that the case has. `identity`: who filed the case goes with it.

    UnknownCase; NotAllowed; WrongStage: the case is neither decided as referred nor information that came as far as screening;
    ConsentNeeded: no custodian has consented that the actor opens the identity; InvalidField (`body`: unknown_code,
    not_offered, no_key), UnknownUpload; Gone: what the case said is kept no longer."""

    actor: Actor
    case_id: UUID
    body: ListCode
    reason: ReferralReason
    identity: bool = False
    attachments: Annotated[list[UploadId], Field(max_length=MAX_ATTACHMENTS)] | None = None
    idempotency_key: Key


class ReferralDraft(Answer):
    """`referral_id`: the referral's, the same whenever it is asked for under this key."""

    referral_id: UUID
    body: OutsideBody
    case: ReferredCase
    files: list[ReferredFile]
    consented_by: UUID | None = None
    prepared_at: Moment


class RecordReferral(PrepareReferral):
    """RPC tracking.record_referral → Referral. Before the package is handed out; raises what PrepareReferral does, and
    KeyReused. Repeated under its key it adds the package made anew to the same referral. `key_fingerprint`: of the key it was
    encrypted to; InvalidField (`body`: key_changed) where the body has another one meanwhile."""

    contents: Annotated[list[PackagedFile], Field(min_length=1, max_length=MAX_ATTACHMENTS + 10)]
    sha256: Sha256
    size: Annotated[int, Field(ge=1)]
    key_fingerprint: Sha256


class ListReferrals(PageRequest):
    """RPC tracking.list_referrals → Referrals, the newest first: to heads and substitutes of the cases that they may know of,
    to auditors without texts. `case_id`: of one case, UnknownCase when there is none for them; `body`, `answered`: these
    alone."""

    actor: Actor
    case_id: UUID | None = None
    body: ListCode | None = None
    answered: bool | None = None


class RecordReferralAnswer(Request):
    """RPC tracking.record_referral_answer → Referral. By a head; NotFound, InvalidField (`answered_on`: before the referral, or
    in the future), KeyReused."""

    actor: Actor
    referral_id: UUID
    answered_on: date
    number: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    outcome: ReferralOutcome
    text: Annotated[str, Field(min_length=1, max_length=10_000)]
    idempotency_key: Key
