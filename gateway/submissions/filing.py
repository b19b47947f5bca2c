"""Accepting a submission: checks it, generates the tracking code, encrypts who files, and publishes it before anything is
promised.

No service and no database is asked (DESIGN: Data flow, A submission).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from uuid import UUID, uuid4

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from backbone import sealing
from backbone.messaging import amqp
from backbone.messaging.amqp import NotPublished
from backbone.persian import normalisation as persian
from backbone.process.settings import secret, secrets
from contracts import identifiers, tracking_codes
from contracts.base import now
from contracts.errors import (
    CitizenConsentMissing,
    ClosedUnit,
    GroundNotForKind,
    IdentityNeeded,
    InvalidField,
    NotAllowed,
    PeygirError,
    Unavailable,
    UnknownGround,
    UnknownUnit,
)
from contracts.gateway import (
    AnswerValue,
    Consent,
    Contact,
    FileSubmission,
    Group,
    GroupMember,
    GroupMembers,
    Identity,
    Place,
)
from contracts.intake import Ground, Question, QuestionType
from contracts.vocabulary import ActorKind, Channel, ConsentTo, Kind, Language, Role
from gateway.api.fields import happened
from gateway.api.submissions.bodies import GroupMemberBody, SubmissionBody
from gateway.auth.tokens import Caller, Tokens
from gateway.cases.case_cache import RecentCodes
from gateway.edge.metrics import FILED
from gateway.rabbit.client import RabbitClient
from gateway.settings import Settings
from gateway.submissions.catalogue_cache import CatalogueCache, reached_questions
from gateway.submissions.findings import Findings
from gateway.submissions.receipts import Receipt, Signer, content_hash

_OPERATOR_CHANNELS = frozenset({Channel.PHONE, Channel.COUNTER})
_ANONYMITY = frozenset({"kind", "anonymous"})
"""Fields that say whether a submission is anonymous."""


@dataclass(frozen=True, slots=True)
class AcceptedSubmission:
    """What is promised to the citizen. `code`: 16 digits. `by_sms`: it is also sent to them by SMS."""

    code: str
    submission_id: UUID
    receipt: Receipt
    by_sms: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Who files, as far as they identify themselves. `consent`: what they agreed to, where an operator files for them."""

    citizen_id: UUID | None = None
    filed_by: UUID | None = None
    identity: Identity | None = None
    consent: Consent | None = None

    @property
    def notified_mobile(self) -> str | None:
        """The mobile to send messages to."""
        if self.identity is None or (self.consent is not None and ConsentTo.SMS not in self.consent.to):
            return None
        return self.identity.mobile


@dataclass(frozen=True, slots=True)
class CheckedSubmission:
    """A submission that may be filed: with dates among its answers in ISO form, who files it, and the others of a group."""

    body: SubmissionBody
    person: Person
    members: GroupMembers | None


class Filing:
    """Files submissions for the API and the pages alike."""

    def __init__(
        self,
        settings: Settings,
        rabbit: RabbitClient,
        catalogue_cache: CatalogueCache,
        tokens: Tokens,
        recent_codes: RecentCodes,
    ) -> None:
        self._rabbit, self._catalogue_cache = rabbit, catalogue_cache
        self._tokens, self._recent_codes = tokens, recent_codes
        self._mac_keys = secrets(settings.code_mac_keys)
        self._index_keys = secrets(settings.code_index_keys)
        self._derive_key = secret(settings.code_derive_key)
        self._mobile_key = secret(settings.mobile_index_key)
        self._intake_key = secret(settings.intake_public_key)
        self._notify_key = secret(settings.notify_public_key)
        self._national_id_required = settings.national_id_required
        self._desk_without_mobile = settings.desk_without_mobile
        self._max_uploads = settings.max_uploads
        self._group_most = settings.group_most
        self._retry_after = settings.retry_after
        earlier = [secret(key) for key in settings.receipt_public_keys]
        self.signer = Signer(secret(settings.receipt_private_key), earlier)

    async def file(
        self, body: SubmissionBody, caller: Caller | None, language: Language, idempotency_key: str | None = None
    ) -> AcceptedSubmission:
        """Returns when the broker has stored the submission. Raises an Invalid for what is wrong with it, or Unavailable: then
        nothing was promised, and it should be filed again."""
        try:
            command, accepted = self._prepare(body, caller, language, idempotency_key)
        except PeygirError as error:
            FILED.labels(body.kind.value, error.code).inc()
            raise
        try:
            await self._rabbit.publish(amqp.command(command, str(command.submission_id)))
        except NotPublished:
            FILED.labels(body.kind.value, "unavailable").inc()
            raise Unavailable(retry_after=self._retry_after) from None
        self._recent_codes.add(command.code_hash)
        FILED.labels(body.kind.value, "accepted").inc()
        return accepted

    def _prepare(
        self, body: SubmissionBody, caller: Caller | None, language: Language, idempotency_key: str | None
    ) -> tuple[FileSubmission, AcceptedSubmission]:
        checked = self.check(body, caller)
        body, person, members = checked.body, checked.person, checked.members
        filed = body.filed()
        filed_hash = content_hash(filed)
        if idempotency_key is None:
            code, submission_id = tracking_codes.mint(self._mac_keys), uuid4()
        else:
            code, submission_id = self._derived(idempotency_key, filed_hash, body, person, caller, members)
        code_hash, *other_code_hashes = tracking_codes.hashes(code, self._index_keys)
        language = body.language or language
        identity = person.identity
        mobile = person.notified_mobile
        filed_at = now()
        command = FileSubmission.model_construct(
            submission_id=submission_id,
            code_hash=code_hash,
            retryable=idempotency_key is not None,
            kind=body.kind,
            unit=body.unit,
            ground=body.ground,
            answers=body.answers,
            text=body.text,
            happened_on=filed["happened_on"],
            place=Place.model_construct(**body.place.model_dump()) if body.place else None,
            reference=body.reference,
            people=body.people,
            visit_wanted=body.visit_wanted,
            uploads=body.uploads,
            channel=body.channel,
            language=language,
            filed_at=filed_at,
            citizen_id=person.citizen_id,
            filed_by=person.filed_by,
            sealed_identity=sealing.seal(identity, self._intake_key) if identity else None,
            sealed_contact=(
                sealing.seal(Contact(mobile=mobile, code=code, language=language), self._notify_key) if mobile else None
            ),
            mobile_hash=self.mobile_hash(mobile) if mobile else None,
            content_hash=filed_hash,
            catalogue_version=self._catalogue_cache.current.version if self._catalogue_cache.current else None,
            consent=person.consent,
            group=Group(members=body.group.members, common=body.group.common) if body.group else None,
            sealed_members=sealing.seal(members, self._intake_key) if members else None,
            other_code_hashes=other_code_hashes,
            identity_mobile_hash=self.mobile_hash(identity.mobile)
            if identity and identity.mobile and not mobile
            else None,
        )
        receipt = self.signer.sign(submission_id, filed_at, body.kind.value, filed_hash)
        return command, AcceptedSubmission(code, submission_id, receipt, mobile is not None)

    def check(self, body: SubmissionBody, caller: Caller | None, findings: Findings | None = None) -> CheckedSubmission:
        """The submission as it would be filed. Raises everything that is wrong with it in one error; `findings`: what was found
        before, whose fields of `body` are placeholders. NotAllowed for staff who do not file for citizens."""
        found = findings or Findings()
        if len(body.uploads) > self._max_uploads:
            found.field("uploads", "too_long", max_length=self._max_uploads)
        for upload_id in (
            sorted(body.upload_hashes.keys() - set(body.uploads)) if "uploads" not in found.unreadable else ()
        ):
            found.field(f"upload_hashes.{upload_id}", "not_uploaded")
        body = self._by_catalogue(body, found)
        person = self._person(body, caller, found)
        members = None if "kind" in found.unreadable else self._members(body, person, found)
        found.raise_all()
        return CheckedSubmission(body, person, members)

    def mobile_hash(self, mobile: str) -> str:
        """Of a mobile in E.164, as services store it."""
        return sealing.keyed_hash(mobile, self._mobile_key)

    def seal_contact(self, mobile: str, code: str, language: Language) -> str:
        """A mobile and a code, for notify alone."""
        return sealing.seal(Contact(mobile=mobile, code=code, language=language), self._notify_key)

    def seal_for_intake(self, model: BaseModel) -> str:
        """What intake alone opens."""
        return sealing.seal(model, self._intake_key)

    def _derived(
        self,
        key: str,
        filed_hash: str,
        body: SubmissionBody,
        person: Person,
        caller: Caller | None,
        members: GroupMembers | None,
    ) -> tuple[str, UUID]:
        """Code and id: the same for each retry of the same request by the same person, and different for anything else."""
        seed = json.dumps(
            [
                key,
                filed_hash,
                str(caller.id) if caller else "",
                body.channel,
                str(person.citizen_id or ""),
                # The identity may differ although all else is the same; hashed, since it may contain a national ID.
                hashlib.sha256(person.identity.model_dump_json().encode()).hexdigest() if person.identity else "",
                *([hashlib.sha256(members.model_dump_json().encode()).hexdigest()] if members else []),
                *([person.consent.form, *sorted(person.consent.to)] if person.consent else []),
            ]
        )
        return tracking_codes.derive(self._mac_keys, self._derive_key, seed.encode())

    # --- the catalogue ---

    def _by_catalogue(self, body: SubmissionBody, found: Findings) -> SubmissionBody:
        """The submission with dates among its answers in ISO form."""
        if self._catalogue_cache.current is None:
            return body  # any well-formed unit and ground is accepted; screening corrects it
        unit = self._catalogue_cache.units.get(body.unit)
        if unit is None or unit.parent is None:
            found.add(UnknownUnit(fields=[{"field": "unit", "reason": "unknown_unit"}]))
        elif not unit.active:
            found.add(ClosedUnit(fields=[{"field": "unit", "reason": "closed_unit"}]))
        ground = self._catalogue_cache.grounds.get(body.ground)
        if ground is None:
            found.add(UnknownGround(fields=[{"field": "ground", "reason": "unknown_ground"}]))
            return body
        if body.kind not in ground.kinds and "kind" not in found.unreadable:
            found.add(GroundNotForKind(fields=[{"field": "ground", "reason": "ground_not_for_kind"}]))
            return body
        if not body.answers and not ground.questions:
            return body
        answers, invalid = _read_answers(ground, body.answers)
        if invalid:
            found.add(InvalidField(fields=invalid))
            return body
        return body if answers == body.answers else body.model_copy(update={"answers": answers})

    # --- the person ---

    def _person(self, body: SubmissionBody, caller: Caller | None, found: Findings) -> Person:
        if caller is not None and caller.kind is ActorKind.STAFF:
            return self._filed_by_operator(body, caller, found)
        identity = body.identity
        if body.channel in _OPERATOR_CHANNELS or body.channel is Channel.SMS:
            found.field("channel", "only_for_operators")
        if body.desk_consent is not None:
            found.field("desk_consent", "only_for_operators")
        if identity is not None and identity.mobile is not None:
            found.field("identity.mobile", "only_for_operators")
        if body.kind is Kind.COMPLAINT:
            if body.anonymous:
                found.field("anonymous", "not_for_complaints")
                return Person()
            if caller is None or caller.contact is None:
                found.add(IdentityNeeded())
                return Person()
            if identity is None or identity.name is None:
                found.field("identity.name", "missing")
        if self._is_anonymous(body):
            if identity is not None and not _ANONYMITY & found.unreadable:
                found.field("identity", "not_when_anonymous")
            return Person()
        mobile = self._tokens.mobile(caller) if caller else None
        return self._named(body, caller.id if caller else None, mobile, found)

    def _filed_by_operator(self, body: SubmissionBody, operator: Caller, found: Findings) -> Person:
        if Role.OPERATOR not in operator.roles:
            raise NotAllowed
        if body.channel not in _OPERATOR_CHANNELS:
            found.field("channel", "literal_error")
        consent = _consent(body, operator, found)
        identity = body.identity
        if body.kind is Kind.COMPLAINT:
            if body.anonymous:
                found.field("anonymous", "not_for_complaints")
                return Person(filed_by=operator.id, consent=consent)
            if identity is None or identity.name is None:
                found.field("identity.name", "missing")
        if self._is_anonymous(body):
            if identity is not None and not _ANONYMITY & found.unreadable:
                found.field("identity", "not_when_anonymous")
            return Person(filed_by=operator.id, consent=consent)
        mobile = None
        if identity is not None and identity.mobile is not None:
            mobile = identifiers.mobile(identity.mobile)
            if mobile is None:
                found.field("identity.mobile", "not_a_mobile")
        elif identity is not None and not self._desk_without_mobile:
            found.field("identity.mobile", "missing")
        named = self._named(body, None, mobile, found)
        return Person(None, operator.id, named.identity, consent)

    def _named(self, body: SubmissionBody, citizen_id: UUID | None, mobile: str | None, found: Findings) -> Person:
        identity = body.identity
        national_id = None
        if identity is not None and identity.national_id is not None:
            national_id = identifiers.national_id(identity.national_id)
            if national_id is None:
                found.field("identity.national_id", "not_a_national_id")
        elif body.kind is Kind.COMPLAINT and self._national_id_required:
            found.field("identity.national_id", "missing")
        name = identity.name if identity else None
        if name is None and national_id is None and mobile is None:
            return Person(citizen_id=citizen_id)
        return Person(citizen_id, None, Identity(name=name, national_id=national_id, mobile=mobile))

    def _members(self, body: SubmissionBody, person: Person, found: Findings) -> GroupMembers | None:
        """The other members of a group, as far as they are named."""
        group = body.group
        if group is None:
            return None
        if body.kind is not Kind.COMPLAINT:
            found.field("group", "only_for_complaints")
            return None
        if group.members > self._group_most:
            found.field("group.members", "less_than_equal", le=self._group_most)
        if len(group.people) >= group.members:
            found.field("group.people", "more_than_members")
        items: list[GroupMember] = []
        seen: set[str] = set()
        for index, member in enumerate(group.people):
            mobile = identifiers.mobile(member.mobile) if member.mobile is not None else None
            problem = _member_problem(member, mobile, person, seen)
            if problem is not None:
                field, reason = problem
                found.field(f"group.people.{index}{field}", reason)
            items.append(GroupMember(name=member.name, mobile=mobile))
            seen |= {mobile} if mobile else set()
        return GroupMembers(items=items) if items else None

    def _is_anonymous(self, body: SubmissionBody) -> bool:
        return body.kind is Kind.INFORMATION if body.anonymous is None else body.anonymous


def _consent(body: SubmissionBody, operator: Caller, found: Findings) -> Consent | None:
    """What the citizen agreed to."""
    consent = body.desk_consent
    if consent is None or ConsentTo.FILING not in consent.to:
        field = "desk_consent" if consent is None else "desk_consent.to"
        found.add(CitizenConsentMissing(fields=[{"field": field, "reason": "citizen_consent_missing"}]))
        return None
    if ConsentTo.SMS in consent.to and (body.identity is None or body.identity.mobile is None):
        found.field("identity.mobile", "missing")
    return Consent(form=consent.form, to=consent.to, recorded_by=operator.id, recorded_at=now())


def _member_problem(
    member: GroupMemberBody, mobile: str | None, person: Person, seen: set[str]
) -> tuple[str, str] | None:
    """Which of a member's fields is invalid, and why."""
    if member.name is None and member.mobile is None:
        return "", "missing"
    if member.mobile is not None and mobile is None:
        return ".mobile", "not_a_mobile"
    if mobile is not None and person.identity is not None and mobile == person.identity.mobile:
        return ".mobile", "is_the_representative"
    return (".mobile", "twice") if mobile in seen else None


def _read_answers(
    ground: Ground, answers: dict[str, AnswerValue]
) -> tuple[dict[str, AnswerValue], list[dict[str, str]]]:
    """The answers with dates in ISO form; and which of them are invalid, and why."""
    questions = {question.code: question for question in ground.questions}
    invalid = [{"field": f"answers.{code}", "reason": "unknown_question"} for code in answers if code not in questions]
    read = dict(answers)
    reached = {question.code for question in reached_questions(ground, answers)}
    for code, question in questions.items():
        value = answers.get(code)
        if code not in reached:
            if code in answers:
                invalid.append({"field": f"answers.{code}", "reason": "not_asked"})
            continue
        if value is None or value == [] or (isinstance(value, str) and persian.is_blank(value)):
            if question.required:
                invalid.append({"field": f"answers.{code}", "reason": "missing"})
            continue
        if question.type is QuestionType.DATE:
            try:
                read[code] = happened(value).isoformat()
            except PydanticCustomError as error:
                invalid.append({"field": f"answers.{code}", "reason": error.type, **(error.context or {})})
            continue
        reason = _answer_problem(question, value)
        if reason is not None:
            invalid.append({"field": f"answers.{code}", "reason": reason})
    return read, invalid


def _answer_problem(question: Question, value: AnswerValue) -> str | None:
    options = {option.value for option in question.options}
    match question.type:
        case QuestionType.NUMBER:
            return None if isinstance(value, int | float) and not isinstance(value, bool) else "not_a_number"
        case QuestionType.CHOICE:
            return None if isinstance(value, str) and value in options else "not_an_option"
        case QuestionType.CHOICES:
            is_valid = isinstance(value, list) and len(set(value)) == len(value) and set(value) <= options
            return None if is_valid else "not_an_option"
        case _:
            return None if isinstance(value, str) else "string_type"
