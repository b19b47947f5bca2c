"""Taking a submission: checks, mints the code, seals who it is, and hands it to the broker before anything is promised.

No service and no database is asked (DESIGN: How data flows, A submission).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from uuid import UUID, uuid4

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
from gateway.submissions.catalogue_cache import CatalogueCache, asked
from gateway.submissions.receipts import Receipt, Signer, content_hash

_DESK = frozenset({Channel.PHONE, Channel.COUNTER})


@dataclass(frozen=True, slots=True)
class Taken:
    """What is promised to the citizen. `code`: 16 digits. `by_sms`: they get it by SMS, too."""

    code: str
    submission_id: UUID
    receipt: Receipt
    by_sms: bool


@dataclass(frozen=True, slots=True)
class _Person:
    """Who files, as far as it is to be known. `consent`: what they agreed to, where an operator files for them."""

    citizen_id: UUID | None = None
    filed_by: UUID | None = None
    identity: Identity | None = None
    consent: Consent | None = None

    @property
    def reached_at(self) -> str | None:
        """The mobile to send messages to."""
        if self.identity is None or (self.consent is not None and ConsentTo.SMS not in self.consent.to):
            return None
        return self.identity.mobile


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
        self._bus, self._shelf, self._tokens, self._issued = rabbit, catalogue_cache, tokens, recent_codes
        self._mac_keys = secrets(settings.code_mac_keys)
        self._index_keys = secrets(settings.code_index_keys)
        self._derive_key = secret(settings.code_derive_key)
        self._mobile_key = secret(settings.mobile_index_key)
        self._intake_key = secret(settings.intake_public_key)
        self._notify_key = secret(settings.notify_public_key)
        self._national_id_required = settings.national_id_required
        self._max_uploads = settings.max_uploads
        self._group_most = settings.group_most
        self._retry_after = settings.retry_after
        earlier = [secret(key) for key in settings.receipt_public_keys]
        self.signer = Signer(secret(settings.receipt_private_key), earlier)

    async def file(
        self, body: SubmissionBody, caller: Caller | None, language: Language, idempotency_key: str | None = None
    ) -> Taken:
        """Returns when the broker holds the submission for good. Raises an Invalid for what is wrong with it, or
        Unavailable: then nothing is promised, and filing again is right."""
        try:
            command, taken = self._prepare(body, caller, language, idempotency_key)
        except PeygirError as error:
            FILED.labels(body.kind.value, error.code).inc()
            raise
        try:
            await self._bus.publish(amqp.command(command, str(command.submission_id)))
        except NotPublished:
            FILED.labels(body.kind.value, "unavailable").inc()
            raise Unavailable(retry_after=self._retry_after) from None
        self._issued.given(command.code_hash)
        FILED.labels(body.kind.value, "accepted").inc()
        return taken

    def _prepare(
        self, body: SubmissionBody, caller: Caller | None, language: Language, idempotency_key: str | None
    ) -> tuple[FileSubmission, Taken]:
        body = self._checked(body)
        if len(body.uploads) > self._max_uploads:
            raise InvalidField(fields=[{"field": "uploads", "reason": "too_long", "max_length": self._max_uploads}])
        if strange := body.upload_hashes.keys() - set(body.uploads):
            raise InvalidField(fields=[{"field": f"upload_hashes.{one}", "reason": "not_uploaded"} for one in strange])
        person = self._person(body, caller)
        members = self._members(body, person)
        filed = body.filed()
        hashed = content_hash(filed)
        if idempotency_key is None:
            code, submission_id = tracking_codes.mint(self._mac_keys), uuid4()
        else:
            code, submission_id = self._derived(idempotency_key, hashed, body, person, caller, members)
        code_hash, *other_code_hashes = tracking_codes.hashes(code, self._index_keys)
        language = body.language or language
        identity = person.identity
        mobile = person.reached_at
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
            mobile_hash=sealing.keyed_hash(mobile, self._mobile_key) if mobile else None,
            content_hash=hashed,
            catalogue_version=self._shelf.current.version if self._shelf.current else None,
            consent=person.consent,
            group=Group(members=body.group.members, common=body.group.common) if body.group else None,
            sealed_members=sealing.seal(members, self._intake_key) if members else None,
            other_code_hashes=other_code_hashes,
        )
        receipt = self.signer.sign(submission_id, filed_at, body.kind.value, hashed)
        return command, Taken(code, submission_id, receipt, mobile is not None)

    def _derived(
        self,
        key: str,
        hashed: str,
        body: SubmissionBody,
        person: _Person,
        caller: Caller | None,
        members: GroupMembers | None,
    ) -> tuple[str, UUID]:
        """The same for each retry of the same request by the same person; another for anybody or anything else."""
        seed = json.dumps(
            [
                key,
                hashed,
                str(caller.id) if caller else "",
                body.channel,
                str(person.citizen_id or ""),
                # Who it is about may differ although all else is the same; hashed, since a national ID may be in it.
                hashlib.sha256(person.identity.model_dump_json().encode()).hexdigest() if person.identity else "",
                *([hashlib.sha256(members.model_dump_json().encode()).hexdigest()] if members else []),
                *([person.consent.form, *sorted(person.consent.to)] if person.consent else []),
            ]
        )
        return tracking_codes.derive(self._mac_keys, self._derive_key, seed.encode())

    # --- what it is about ---

    def _checked(self, body: SubmissionBody) -> SubmissionBody:
        """With days among the answers as dates. InvalidField for what does not fit the catalogue."""
        if self._shelf.current is None:
            return body  # any well-formed target is taken; screening sets it right
        unit = self._shelf.units.get(body.unit)
        if unit is None or unit.parent is None:
            raise UnknownUnit(fields=[{"field": "unit", "reason": "unknown_unit"}])
        if not unit.active:
            raise ClosedUnit(fields=[{"field": "unit", "reason": "closed_unit"}])
        ground = self._shelf.grounds.get(body.ground)
        if ground is None:
            raise UnknownGround(fields=[{"field": "ground", "reason": "unknown_ground"}])
        if body.kind not in ground.kinds:
            raise GroundNotForKind(fields=[{"field": "ground", "reason": "ground_not_for_kind"}])
        if not body.answers and not ground.questions:
            return body
        answers, wrong = _read_answers(ground, body.answers)
        if wrong:
            raise InvalidField(fields=wrong)
        return body if answers == body.answers else body.model_copy(update={"answers": answers})

    # --- who it is ---

    def _person(self, body: SubmissionBody, caller: Caller | None) -> _Person:
        if caller is not None and caller.kind is ActorKind.STAFF:
            return self._through_the_desk(body, caller)
        if body.channel in _DESK or body.channel is Channel.SMS:
            raise InvalidField(fields=[{"field": "channel", "reason": "only_for_operators"}])
        if body.desk_consent is not None:
            raise InvalidField(fields=[{"field": "desk_consent", "reason": "only_for_operators"}])
        identity = body.identity
        if identity is not None and identity.mobile is not None:
            raise InvalidField(fields=[{"field": "identity.mobile", "reason": "only_for_operators"}])
        if body.kind is Kind.COMPLAINT:
            if body.anonymous:
                raise InvalidField(fields=[{"field": "anonymous", "reason": "not_for_complaints"}])
            if caller is None or caller.contact is None:
                raise IdentityNeeded
            if identity is None or identity.name is None:
                raise InvalidField(fields=[{"field": "identity.name", "reason": "missing"}])
        if self._anonymous(body):
            if identity is not None:
                raise InvalidField(fields=[{"field": "identity", "reason": "not_when_anonymous"}])
            return _Person()
        return self._named(body, caller.id if caller else None, self._tokens.mobile(caller) if caller else None)

    def _through_the_desk(self, body: SubmissionBody, operator: Caller) -> _Person:
        if Role.OPERATOR not in operator.roles:
            raise NotAllowed
        if body.channel not in _DESK:
            raise InvalidField(fields=[{"field": "channel", "reason": "literal_error"}])
        consent = _consent(body, operator)
        if body.kind is Kind.COMPLAINT:
            if body.anonymous:
                raise InvalidField(fields=[{"field": "anonymous", "reason": "not_for_complaints"}])
            if body.identity is None or body.identity.name is None:
                raise InvalidField(fields=[{"field": "identity.name", "reason": "missing"}])
        if self._anonymous(body):
            if body.identity is not None:
                raise InvalidField(fields=[{"field": "identity", "reason": "not_when_anonymous"}])
            return _Person(filed_by=operator.id, consent=consent)
        mobile = None
        if body.identity is not None and body.identity.mobile is not None:
            mobile = identifiers.mobile(body.identity.mobile)
            if mobile is None:
                raise InvalidField(fields=[{"field": "identity.mobile", "reason": "not_a_mobile"}])
        named = self._named(body, None, mobile)
        return _Person(None, operator.id, named.identity, consent)

    def _named(self, body: SubmissionBody, citizen_id: UUID | None, mobile: str | None) -> _Person:
        given = body.identity
        national_id = None
        if given is not None and given.national_id is not None:
            national_id = identifiers.national_id(given.national_id)
            if national_id is None:
                raise InvalidField(fields=[{"field": "identity.national_id", "reason": "not_a_national_id"}])
        elif body.kind is Kind.COMPLAINT and self._national_id_required:
            raise InvalidField(fields=[{"field": "identity.national_id", "reason": "missing"}])
        name = given.name if given else None
        if name is None and national_id is None and mobile is None:
            return _Person(citizen_id=citizen_id)
        return _Person(citizen_id, None, Identity(name=name, national_id=national_id, mobile=mobile))

    def _members(self, body: SubmissionBody, person: _Person) -> GroupMembers | None:
        """The others of a group who were named. InvalidField names each that is wrong."""
        group = body.group
        if group is None:
            return None
        if body.kind is not Kind.COMPLAINT:
            raise InvalidField(fields=[{"field": "group", "reason": "only_for_complaints"}])
        wrong: list[dict[str, str | int]] = []
        if group.members > self._group_most:
            wrong.append({"field": "group.members", "reason": "less_than_equal", "le": self._group_most})
        if len(group.people) >= group.members:
            wrong.append({"field": "group.people", "reason": "more_than_members"})
        items: list[GroupMember] = []
        seen: set[str] = set()
        for place, one in enumerate(group.people):
            mobile = identifiers.mobile(one.mobile) if one.mobile is not None else None
            reason = _wrong_member(one, mobile, person, seen)
            if reason is not None:
                wrong.append({"field": f"group.people.{place}{reason[0]}", "reason": reason[1]})
            items.append(GroupMember(name=one.name, mobile=mobile))
            seen |= {mobile} if mobile else set()
        if wrong:
            raise InvalidField(fields=wrong)
        return GroupMembers(items=items) if items else None

    def _anonymous(self, body: SubmissionBody) -> bool:
        return body.kind is Kind.INFORMATION if body.anonymous is None else body.anonymous


def _consent(body: SubmissionBody, operator: Caller) -> Consent:
    """What the citizen agreed to. CitizenConsentMissing when they did not agree that it is filed for them."""
    given = body.desk_consent
    if given is None or ConsentTo.FILING not in given.to:
        field = "desk_consent" if given is None else "desk_consent.to"
        raise CitizenConsentMissing(fields=[{"field": field, "reason": "citizen_consent_missing"}])
    if ConsentTo.SMS in given.to and (body.identity is None or body.identity.mobile is None):
        raise InvalidField(fields=[{"field": "identity.mobile", "reason": "missing"}])
    return Consent(form=given.form, to=given.to, recorded_by=operator.id, recorded_at=now())


def _wrong_member(one: GroupMemberBody, mobile: str | None, person: _Person, seen: set[str]) -> tuple[str, str] | None:
    """Which of a member's fields is wrong, and why."""
    if one.name is None and one.mobile is None:
        return "", "missing"
    if one.mobile is not None and mobile is None:
        return ".mobile", "not_a_mobile"
    if mobile is not None and person.identity is not None and mobile == person.identity.mobile:
        return ".mobile", "is_the_representative"
    return (".mobile", "twice") if mobile in seen else None


def _read_answers(
    ground: Ground, answers: dict[str, AnswerValue]
) -> tuple[dict[str, AnswerValue], list[dict[str, str]]]:
    """The answers, days as dates; and which of them are wrong, and why."""
    questions = {question.code: question for question in ground.questions}
    wrong = [{"field": f"answers.{code}", "reason": "unknown_question"} for code in answers if code not in questions]
    read = dict(answers)
    reached = {question.code for question in asked(ground, answers)}
    for code, question in questions.items():
        value = answers.get(code)
        if code not in reached:
            if code in answers:
                wrong.append({"field": f"answers.{code}", "reason": "not_asked"})
            continue
        if value is None or value == [] or (isinstance(value, str) and persian.is_blank(value)):
            if question.required:
                wrong.append({"field": f"answers.{code}", "reason": "missing"})
            continue
        if question.type is QuestionType.DATE:
            try:
                read[code] = happened(value).isoformat()
            except PydanticCustomError as error:
                wrong.append({"field": f"answers.{code}", "reason": error.type, **(error.context or {})})
            continue
        reason = _wrong(question, value)
        if reason is not None:
            wrong.append({"field": f"answers.{code}", "reason": reason})
    return read, wrong


def _wrong(question: Question, value: AnswerValue) -> str | None:
    options = {option.value for option in question.options}
    match question.type:
        case QuestionType.NUMBER:
            return None if isinstance(value, int | float) and not isinstance(value, bool) else "not_a_number"
        case QuestionType.CHOICE:
            return None if isinstance(value, str) and value in options else "not_an_option"
        case QuestionType.CHOICES:
            good = isinstance(value, list) and len(set(value)) == len(value) and set(value) <= options
            return None if good else "not_an_option"
        case _:
            return None if isinstance(value, str) else "string_type"
