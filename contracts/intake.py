"""Messages of intake: the catalogue, submissions and identities."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import (
    Answer,
    Contract,
    Event,
    GroundCode,
    HistoryRequest,
    KeyedHash,
    ListCode,
    Moment,
    Request,
    Sealed,
    UnitCode,
)
from contracts.configuration_rows import ConfigurationRow
from contracts.gateway import Actor, FiledSubmission, GroupMember, Identity
from contracts.vocabulary import Kind, Outcome

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
    step: Literal["decision", "first_reading", "unit", "citizen", "citizen_reminder", "citizen_close", "objection"] = (
        "decision"
    )
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


class Article(Answer):
    """An article of a regulation. `title_…`: the regulation's; `number`: the article's, as the regulation writes it; `text_en`
    may be empty. In force from `valid_from` to `valid_until`, both days included; None: until further notice."""

    code: ListCode
    title_fa: str
    title_en: str
    number: str
    text_fa: str
    text_en: str = ""
    valid_from: date
    valid_until: date | None = None

    def is_in_force(self, day: date) -> bool:
        """Whether a decision of this day may cite it."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class AnswerTemplate(Answer):
    """A text the office answers with again and again; for every kind or ground that it does not name. `articles`: codes of those
    that it cites."""

    code: ListCode
    kind: Kind | None = None
    ground: GroundCode | None = None
    text_fa: str
    text_en: str
    articles: list[ListCode] = []


class OutsideBody(Answer):
    """A competent body outside the municipality, to which cases are referred. `age_key`: its public key of age
    (contracts/age_keys.py); empty while the office does not have it, and then nothing is referred to it. A closed one is not
    offered."""

    code: ListCode
    name_fa: str
    name_en: str
    age_key: str = ""
    active: bool = True


class RetentionRule(Answer):
    """How many months after its end the identity, the evidence and the texts of a case are kept. `outcome` None: every one
    for which no other rule of the kind stands; `text_months` None: texts are kept."""

    kind: Kind
    outcome: Outcome | None = None
    identity_months: int
    evidence_months: int
    text_months: int | None = None


class EarlierDecisionRules(Answer):
    """The rules of decisions for cases filed before `before`, which a change for new cases alone left as they were."""

    before: Moment
    four_eyes: list[Kind]
    auto_close_days: int


class EarlierRetention(Answer):
    """The same for how long what of a case is kept."""

    before: Moment
    retention: list[RetentionRule]


class Catalogue(Answer):
    """What the administrator sets, whole. `version` grows with each change and is the ETag.

    `weekend`: days of the week, Monday 0. `four_eyes`: kinds whose decisions a head approves. `auto_close_days`: working
    days after which a case that was decided is closed. `transfers_without_head`: how often the unit of one case may be
    replaced by another until it takes the head. `earlier_…`: rules by which older cases go on, the oldest first.
    `open_case_rules`: how many changes of rules were applied to open cases as well.
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
    articles: list[Article] = []
    four_eyes: list[Kind] = []
    auto_close_days: int = 10
    transfers_without_head: int = 2
    retention: list[RetentionRule] = []
    earlier_decisions: list[EarlierDecisionRules] = []
    earlier_retention: list[EarlierRetention] = []
    open_case_rules: int = 0
    outside_bodies: list[OutsideBody] = []


class IntakeEvent(Event):
    producer: ClassVar[str] = PRODUCER


class CatalogueChanged(IntakeEvent):
    """Carries the whole catalogue, so that no consumer has to ask for it; a version lower than the stored one is old."""

    name: ClassVar[str] = "catalogue.changed.v1"

    catalogue: Catalogue


class SubmissionRegistered(FiledSubmission, IntakeEvent):
    """A submission is in intake's database. From here tracking opens the case with `case_id`.

    `unit` is None when the unit asked for is unknown, closed or the root: screening sets it right (`unit_asked`).
    `answered_questions`: those of `answers`, as they were asked that day.
    """

    name: ClassVar[str] = "submission.registered.v1"

    case_id: UUID
    code_hash: KeyedHash
    unit: UnitCode | None
    unit_asked: str
    unit_name_fa: str | None = None
    unit_name_en: str | None = None
    anonymous: bool
    answered_questions: list[Question] = []


class IdentityErased(IntakeEvent):
    """Who filed a submission is kept no longer: by the rule of so many `months` after the end of its case."""

    name: ClassVar[str] = "identity.erased.v1"

    case_id: UUID
    months: int


class CodeHolder(Contract):
    """Whose the submission is. `mobile_hash`: of the mobile by which they are reached, None once its owner has disowned it.
    `citizen_id`: from whose account it counts as filed."""

    mobile_hash: KeyedHash | None = None
    citizen_id: UUID | None = None


class SubmissionRecoded(IntakeEvent):
    """This submission has a new code, sealed here where it is sent by SMS; its old one is good no more.

    `reason` clash: the old one was another's, and the receipt shows the new one; corrected: the mobile was mistyped, and
    `mobile_hash` is the right one's; lost: the citizen had none any more. `attempt`: how many codes it had before; of two
    events the higher one holds, and `holder` has what came before it. `by`: the member of staff who replaced it."""

    name: ClassVar[str] = "submission.recoded.v1"

    case_id: UUID
    old_code_hash: KeyedHash
    code_hash: KeyedHash
    sealed_contact: Sealed | None = None
    reason: Literal["clash", "corrected", "lost"] = "clash"
    attempt: int = 1
    by: UUID | None = None
    mobile_hash: KeyedHash | None = None
    holder: CodeHolder | None = None


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
    """RPC intake.read_own_name → OwnName. For the citizen who filed it, signed in; NotAllowed for staff and holders of a code."""

    actor: Actor
    case_id: UUID


class OwnName(Answer):
    """`own`: the case is theirs. None for what they did not give or is kept no longer; `…_end`: the last four digits."""

    own: bool = False
    name: str | None = None
    mobile_end: str | None = None
    national_id_end: str | None = None


class OpenIdentity(Request):
    """RPC intake.open_identity → OpenedIdentity. For head and custodian; recorded with reason and consent (IdentityGrant)."""

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


class PutArticle(Contract):
    """An article as it shall be: new, or corrected, or in force until another day. Its code never changes, and it is never
    removed: decisions cite it."""

    change: Literal["put_article"] = "put_article"
    article: Article


class PutOutsideBody(Contract):
    """A body as it shall be: new, or renamed, with another key, closed or opened again. Its code never changes."""

    change: Literal["put_outside_body"] = "put_outside_body"
    outside_body: OutsideBody


class SetCalendar(Contract):
    """The city's calendar whole; what is None stays."""

    change: Literal["set_calendar"] = "set_calendar"
    weekend: list[int] | None = None
    holidays: list[date] | None = None


AppliesTo = Literal["open", "new"]
"""Whether a change of rules holds for all open cases as well, or for those alone that are filed from now on."""


class SetDeadlines(Contract):
    """All rules, in place of those there were. `applies_to` open: the days of open cases are computed anew."""

    change: Literal["set_deadlines"] = "set_deadlines"
    deadlines: list[DeadlineRule]
    applies_to: AppliesTo = Field(default="new", exclude_if=lambda applies_to: applies_to == "new")


class SetDecisions(Contract):
    """Whose decisions a head approves, when what was decided is closed, and how often a case may go to another unit without
    the head; what is None stays. `applies_to` new: cases filed before the change go on by the rules of before."""

    change: Literal["set_decisions"] = "set_decisions"
    four_eyes: list[Kind] | None = None
    auto_close_days: int | None = None
    transfers_without_head: int | None = None
    applies_to: AppliesTo = Field(default="open", exclude_if=lambda applies_to: applies_to == "open")


class SetRetention(Contract):
    """All rules, in place of those there were. `applies_to` new: cases filed before the change, ended or not, are kept by the
    rules of before."""

    change: Literal["set_retention"] = "set_retention"
    retention: list[RetentionRule]
    applies_to: AppliesTo = Field(default="open", exclude_if=lambda applies_to: applies_to == "open")


Change = Annotated[
    PutUnit
    | PutGround
    | PutRefusalReason
    | PutRootCause
    | PutAnswerTemplate
    | RemoveAnswerTemplate
    | PutArticle
    | PutOutsideBody
    | SetCalendar
    | SetDeadlines
    | SetDecisions
    | SetRetention,
    Field(discriminator="change"),
]


class ChangeConfiguration(Request):
    """RPC intake.change_configuration → Catalogue. For the administrator: all of `changes` or none.

    StaleVersion when the catalogue is not at `expected_version`; InvalidField names what would be wrong, as
    units.<code>.<field>. Repeated under its key it has its effect once. `kept`: fields of the items put that the caller left
    out: where the item is there already, it keeps them.
    """

    actor: Actor
    expected_version: int
    idempotency_key: Annotated[str, Field(max_length=100)]
    changes: Annotated[list[Change], Field(min_length=1, max_length=2000)]
    kept: Annotated[list[str], Field(max_length=20, exclude_if=lambda kept: not kept)] = []


class GetConfiguration(Request):
    """RPC intake.get_configuration → Catalogue. For the administrator; as it is at this moment."""

    actor: Actor


class ListConfigurationHistory(HistoryRequest):
    """RPC intake.list_configuration_history → ConfigurationHistory. For the administrator; the newest first.

    `what`: one kind of thing, such as units; `code`: one of them. `after`: the cursor of the page before.
    """

    actor: Actor
    what: Annotated[str, Field(max_length=40)] | None = None
    code: Annotated[str, Field(max_length=100)] | None = None


class ConfigurationChange(Answer):
    """One change. `by`: the id of the member of staff, or the command that did it. `before` None: it was not there;
    `after` None: it is no more. `version`: of the catalogue that holds it."""

    id: int
    at: Moment
    by: str
    what: str
    code: str | None
    before: ConfigurationRow = None
    after: ConfigurationRow = None
    version: int


class ConfigurationHistory(Answer):
    items: list[ConfigurationChange]
    next: str | None = None
