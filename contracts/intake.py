"""Messages of intake: the catalogue, submissions and identities."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import (
    Answer,
    Contract,
    Event,
    GroundCode,
    KeyedHash,
    ListCode,
    Moment,
    Request,
    Sealed,
    UnitCode,
    UploadId,
)
from contracts.gateway import Actor, AnswerValue, Consent, Group, GroupMember, Identity, Place
from contracts.vocabulary import Channel, Kind, Language, Outcome

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
    """How many months after its end the identity, the evidence and the texts of a case are kept. `outcome` None: every one
    for which no other rule of the kind stands; `text_months` None: texts are kept."""

    kind: Kind
    outcome: Outcome | None = None
    identity_months: int
    evidence_months: int
    text_months: int | None = None


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
    """Carries the whole catalogue, so that no consumer has to ask for it; a version lower than the stored one is out of date."""

    name: ClassVar[str] = "catalogue.changed.v1"
    producer: ClassVar[str] = PRODUCER

    catalogue: Catalogue


class SubmissionRegistered(Event):
    """A submission is in intake's database. From here tracking opens the case with `case_id`.

    `sealed_contact` can be opened by notify alone; None when there is no way to reach the citizen.
    `unit` is None when the unit asked for is unknown, closed or the root: screening sets it right (`unit_asked`).
    `consent`: when an operator filed it for the citizen.
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
    consent: Consent | None = None
    group: Group | None = None


class IdentityErased(Event):
    """Who filed a submission is kept no longer: by the rule of so many `months` after the end of its case."""

    name: ClassVar[str] = "identity.erased.v1"
    producer: ClassVar[str] = PRODUCER

    case_id: UUID
    months: int


class SubmissionRecoded(Event):
    """The code of this submission was another's: it has a new code, shown by its receipt and, sealed here, sent by SMS."""

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
    """`registered`: it is stored. `new_code`: only when the code on the receipt was another submission's; the code
    that replaces it, in the clear for the holder of the receipt, 16 digits."""

    registered: bool
    registered_at: Moment | None = None
    new_code: str | None = None


class ReadOwnName(Request):
    """RPC intake.read_own_name → OwnName. For the citizen who filed it signed in, with the mobile verified: the name that
    they gave is theirs to read, and opens nobody else's. NotAllowed for everybody else who asks, staff and whoever holds no
    more than the code."""

    actor: Actor
    case_id: UUID


class OwnName(Answer):
    """None when they gave none, it is kept no longer, or the case is not theirs."""

    name: str | None = None


class OpenIdentity(Request):
    """RPC intake.open_identity → OpenedIdentity. Allowed to head and custodian; each opening is recorded with its reason and
    with who consented to it, as tracking said (IdentityGrant)."""

    actor: Actor
    case_id: UUID
    reason: Annotated[str, Field(min_length=5, max_length=500)]
    consented_by: UUID | None = None


class OpenedIdentity(Answer):
    """`members`: those of a group who were named besides `identity`, who represents them."""

    identity: Identity
    members: list[GroupMember] = []


# --- the administrator's commands ---


class PutUnit(Contract):
    """A unit as it shall be: new, or renamed, moved, closed or opened again. Its code never changes."""

    change: Literal["put_unit"] = "put_unit"
    unit: Unit


class PutGround(Contract):
    """A ground with its questions as it shall be. One that is for no kind is not offered any more."""

    change: Literal["put_ground"] = "put_ground"
    ground: Ground


class PutRefusalReason(Contract):
    """A reason as it shall be: new, or renamed, with another address, closed or opened again. Its code never changes."""

    change: Literal["put_refusal_reason"] = "put_refusal_reason"
    refusal_reason: ListedReason


class PutRootCause(Contract):
    """A cause as it shall be: new, or renamed, closed or opened again. Its code never changes."""

    change: Literal["put_root_cause"] = "put_root_cause"
    root_cause: ListedCause


class PutAnswerTemplate(Contract):
    change: Literal["put_answer_template"] = "put_answer_template"
    answer_template: AnswerTemplate


class RemoveAnswerTemplate(Contract):
    change: Literal["remove_answer_template"] = "remove_answer_template"
    code: ListCode


class SetCalendar(Contract):
    """The city's calendar whole; what is None stays."""

    change: Literal["set_calendar"] = "set_calendar"
    weekend: list[int] | None = None
    holidays: list[date] | None = None


class SetDeadlines(Contract):
    """All rules, in place of those there were."""

    change: Literal["set_deadlines"] = "set_deadlines"
    deadlines: list[DeadlineRule]


class SetDecisions(Contract):
    """Whose decisions a head approves, and when what was decided is closed; what is None stays."""

    change: Literal["set_decisions"] = "set_decisions"
    four_eyes: list[Kind] | None = None
    auto_close_days: int | None = None


class SetRetention(Contract):
    """All rules, in place of those there were."""

    change: Literal["set_retention"] = "set_retention"
    retention: list[RetentionRule]


Change = Annotated[
    PutUnit
    | PutGround
    | PutRefusalReason
    | PutRootCause
    | PutAnswerTemplate
    | RemoveAnswerTemplate
    | SetCalendar
    | SetDeadlines
    | SetDecisions
    | SetRetention,
    Field(discriminator="change"),
]


class ChangeConfiguration(Request):
    """RPC intake.change_configuration → Catalogue. For the administrator: all of `changes` or none.

    StaleVersion when the catalogue is not at `expected_version`; InvalidField names what would be wrong, as
    units.<code>.<field>. Repeated under its key it has its effect once.
    """

    actor: Actor
    expected_version: int
    idempotency_key: Annotated[str, Field(max_length=100)]
    changes: Annotated[list[Change], Field(min_length=1, max_length=2000)]


class GetConfiguration(Request):
    """RPC intake.get_configuration → Catalogue. For the administrator; as it is at this moment."""

    actor: Actor


class ListConfigurationHistory(Request):
    """RPC intake.list_configuration_history → ConfigurationHistory. For the administrator; the newest first.

    `what`: one kind of thing, such as units; `code`: one of them. `after`: the cursor of the page before.
    """

    actor: Actor
    what: Annotated[str, Field(max_length=40)] | None = None
    code: Annotated[str, Field(max_length=100)] | None = None
    after: int | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class ConfigurationChange(Answer):
    """One change. `by`: the id of the member of staff, or the command that did it. `before` None: it was not there;
    `after` None: it is no more. `version`: of the catalogue that holds it."""

    id: int
    at: Moment
    by: str
    what: str
    code: str | None
    before: Any = None
    after: Any = None
    version: int


class ConfigurationHistory(Answer):
    items: list[ConfigurationChange]
    next: str | None = None
