"""What an operator does with what they filed for a citizen, and what citizens say of what was filed for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row

from backbone import sealing
from backbone.messaging import outbox
from backbone.storage import idempotency
from contracts import tracking_codes
from contracts.base import now
from contracts.desk import (
    AnswerFiledForMe,
    CorrectMobile,
    FiledForMe,
    FiledForMeItem,
    FiledIds,
    FiledReceipt,
    FindFiled,
    ListFiledForMe,
    LostCodeAnswers,
    PrintReceipt,
    ReplacedCode,
    ReplaceLostCode,
    SubmissionClaimed,
    SubmissionDisowned,
)
from contracts.errors import (
    AlreadyDecided,
    AnonymousFiling,
    IdentityNotConfirmed,
    InvalidField,
    NotAllowed,
    TooMany,
    UnknownCase,
)
from contracts.gateway import Actor, Contact, Identity
from contracts.intake import CodeHolder, SubmissionRecoded
from contracts.vocabulary import ActorKind, Kind, Language, Role
from services.intake.desk import rules, store
from services.intake.identities.use_cases import IdentityUseCases
from services.intake.submissions.codes import CodeKeys, free_replacement, replacement

Clock = Callable[[], datetime]


class DeskUseCases:
    """`notify_key`: notify's public key, to which contacts are sealed."""

    def __init__(self, identities: IdentityUseCases, keys: CodeKeys, notify_key: bytes, clock: Clock = now) -> None:
        self._identities, self._keys, self._notify_key, self._clock = identities, keys, notify_key, clock

    # --- the operator ---

    def find(self, connection: Connection, request: FindFiled) -> FiledIds:
        """What this operator filed, by the last digits of the mobile. NotAllowed for others."""
        if _staff_id(request.actor) is None or Role.OPERATOR not in request.actor.roles:
            raise NotAllowed
        hashes = self._identities.digits_hashes(request.actor.id, request.last_digits)
        return FiledIds(items=store.by_digits(connection, hashes))

    def print_receipt(self, connection: Connection, request: PrintReceipt) -> FiledReceipt:
        """What the receipt's signature is over, again. UnknownCase, NotAllowed, InvalidField."""
        row = _existing(store.lock_submission(connection, request.case_id))
        rules.require_filer(request.actor, row.filed_by)
        if request.code_hashes and row.code_hash not in request.code_hashes:
            raise InvalidField(fields=[{"field": "tracking_code", "reason": "code_of_another"}])
        return FiledReceipt(
            submission_id=row.submission_id, filed_at=row.filed_at, kind=row.kind, content_hash=row.content_hash
        )

    def correct_mobile(self, connection: Connection, request: CorrectMobile) -> ReplacedCode:
        """The right mobile in the sealed identity, and a new code. UnknownCase, NotAllowed, AnonymousFiling, InvalidField,
        KeyReused."""
        row = _existing(store.lock_submission(connection, request.case_id))
        rules.require_filer(request.actor, row.filed_by)
        identity = self._identities.read(connection, request.case_id)
        if identity is None:
            raise AnonymousFiling
        mobile = self._identities.opened(request.sealed_identity, Identity).mobile
        corrected = identity.model_copy(update={"mobile": mobile})
        digest = idempotency.command_hash(request, exclude={"sealed_identity"})
        code, attempt = self._next_code(connection, row)
        earlier = store.repeated(connection, request.actor, request.idempotency_key, digest, attempt)
        if earlier is not None:
            return self._replaced(connection, row, identity, replacement(self._keys, row.submission_id, earlier))
        if store.is_disowned(connection, row.submission_id, request.mobile_hash):
            raise InvalidField(fields=[{"field": "mobile", "reason": "mobile_disowned"}])
        self._identities.change(connection, row.submission_id, corrected, request.mobile_hash, row.filed_by)
        if store.claim(connection, row.submission_id) is not None:
            store.drop_claim(connection, row.submission_id)
            store.set_citizen(connection, row.submission_id, None)
        return self._recode(connection, request.actor, row, corrected, code, attempt, is_corrected=True)

    def begin_try(self, connection: Connection, request: ReplaceLostCode) -> int | None:
        """Records a try before its answers are looked at, in a transaction of its own; its id. None for a repeated request."""
        staff_id = _staff_id(request.actor)
        if staff_id is None or store.was_done(connection, request.actor, request.idempotency_key):
            return None
        return store.add_try(connection, request.case_id, staff_id, self._clock())

    def replace_lost_code(self, connection: Connection, request: ReplaceLostCode, try_id: int | None) -> ReplacedCode:
        """A new code for who answered two questions. NotAllowed, TooMany, IdentityNotConfirmed whatever was wrong, KeyReused."""
        staff_id = _staff_id(request.actor)
        if staff_id is None or not request.actor.roles & {Role.OPERATOR, Role.HEAD}:
            raise NotAllowed
        row = None if request.case_id is None else store.lock_submission(connection, request.case_id)
        identity = None if row is None else self._identities.read(connection, row.submission_id)
        if try_id is not None:
            self._check_tries(connection, request.case_id, staff_id, try_id)
            answers = self._identities.opened(request.sealed_answers, LostCodeAnswers)
            if row is None or not _confirms(row, identity, answers):
                raise IdentityNotConfirmed
            store.confirm_try(connection, try_id)
        if row is None:
            raise IdentityNotConfirmed
        digest = idempotency.command_hash(request, exclude={"sealed_answers"})
        code, attempt = self._next_code(connection, row)
        earlier = store.repeated(connection, request.actor, request.idempotency_key, digest, attempt)
        if earlier is not None:
            return self._replaced(connection, row, identity, replacement(self._keys, row.submission_id, earlier))
        if try_id is None:  # the record of the first time was pruned a moment ago: nothing was confirmed now
            raise IdentityNotConfirmed
        return self._recode(connection, request.actor, row, identity, code, attempt, is_corrected=False)

    def _check_tries(self, connection: Connection, case_id: UUID | None, staff_id: UUID, try_id: int) -> None:
        at = self._clock()
        since = at - rules.CASE_WINDOW
        of_case = [] if case_id is None else store.wrong_tries_of_case(connection, case_id, since, try_id)
        of_person = store.wrong_tries_of_person(connection, staff_id, at - rules.PERSON_WINDOW, try_id)
        wait = max(
            rules.seconds_to_wait(of_case, at, rules.TRIES_OF_CASE, rules.CASE_WINDOW),
            rules.seconds_to_wait(of_person, at, rules.TRIES_OF_PERSON, rules.PERSON_WINDOW),
        )
        if wait:
            raise TooMany(retry_after=wait)

    def _next_code(self, connection: Connection, row: Row[tuple[object, ...]]) -> tuple[str, int]:
        return free_replacement(connection, self._keys, row.submission_id, row.code_attempt + 1)

    def _recode(
        self,
        connection: Connection,
        actor: Actor,
        row: Row[tuple[object, ...]],
        identity: Identity | None,
        code: str,
        attempt: int,
        *,
        is_corrected: bool,
    ) -> ReplacedCode:
        """Stores the new code and publishes it; the old one is good no more. `is_corrected`: together with the mobile."""
        code_hash = tracking_codes.hashes(code, self._keys.index)[0]
        store.set_code(connection, row.submission_id, code_hash, attempt)
        contact = self._contact(connection, row, identity, code)
        mobile_hash = store.mobile_hash(connection, row.submission_id)
        holder = CodeHolder(
            mobile_hash=mobile_hash if contact is not None else None,
            citizen_id=store.citizen(connection, row.submission_id),
        )
        outbox.add(
            connection,
            SubmissionRecoded(
                id=uuid4(),
                occurred_at=self._clock(),
                case_id=row.submission_id,
                old_code_hash=row.code_hash,
                code_hash=code_hash,
                sealed_contact=contact,
                reason="corrected" if is_corrected else "lost",
                attempt=attempt,
                by=UUID(actor.id),
                mobile_hash=mobile_hash if is_corrected else None,
                holder=holder,
            ),
        )
        return ReplacedCode(by_sms=contact is not None, code=None if contact is not None else code)

    def _replaced(
        self, connection: Connection, row: Row[tuple[object, ...]], identity: Identity | None, code: str
    ) -> ReplacedCode:
        """The same answer once more."""
        by_sms = self._contact(connection, row, identity, code) is not None
        return ReplacedCode(by_sms=by_sms, code=None if by_sms else code)

    def _contact(
        self, connection: Connection, row: Row[tuple[object, ...]], identity: Identity | None, code: str
    ) -> str | None:
        """How the citizen is reached, sealed to notify; None without a mobile, where they did not agree to it, or where who has
        the mobile said that this is not theirs: the code would be a stranger's."""
        if identity is None or identity.mobile is None or store.mobile_hash(connection, row.submission_id) is None:
            return None
        if row.filed_by is not None and not store.consents_to_sms(connection, row.submission_id):
            return None
        contact = Contact(mobile=identity.mobile, code=code, language=Language(row.language))
        return sealing.seal(contact, self._notify_key)

    # --- the citizen ---

    def list_filed_for(self, connection: Connection, request: ListFiledForMe) -> FiledForMe:
        """What was filed with this citizen's mobile and waits for their word. NotAllowed for who is no citizen signed in."""
        _citizen_id(request.actor)
        return _shown(store.filed_for(connection, request.mobile_hash))

    def answer_filed_for(self, connection: Connection, request: AnswerFiledForMe) -> FiledForMe:
        """It is theirs, or it is not. UnknownCase, AlreadyDecided."""
        citizen_id = _citizen_id(request.actor)
        row = _existing(store.lock_submission(connection, request.case_id))
        if row.filed_by is None or not store.has_mobile(connection, row.submission_id, request.mobile_hash):
            raise UnknownCase
        earlier = store.claim(connection, row.submission_id)
        if earlier is not None and (earlier.citizen_id, earlier.mine) != (citizen_id, request.mine):
            raise AlreadyDecided
        if earlier is None:
            store.add_claim(connection, row.submission_id, citizen_id, request.mine)
            about = {"id": uuid4(), "occurred_at": self._clock(), "case_id": row.submission_id}
            if request.mine:
                store.set_citizen(connection, row.submission_id, citizen_id)
                claimed = SubmissionClaimed(**about, citizen_id=citizen_id, attempt=row.code_attempt)
                outbox.add(connection, claimed)
            else:
                store.disown(connection, row.submission_id, request.mobile_hash)
                disowned = SubmissionDisowned(**about, filed_by=UUID(row.filed_by), attempt=row.code_attempt)
                outbox.add(connection, disowned)
        return _shown(store.filed_for(connection, request.mobile_hash))


def _confirms(row: Row[tuple[object, ...]], identity: Identity | None, answers: LostCodeAnswers) -> bool:
    units = {code for code in (row.unit, row.unit_asked) if code}
    return rules.is_confirmed(answers, rules.held_facts(Kind(row.kind), identity, row.filed_at, units, row.ground))


def _existing(row: store.AnyRow | None) -> store.AnyRow:
    if row is None:
        raise UnknownCase
    return row


def _staff_id(actor: Actor) -> UUID | None:
    return UUID(actor.id) if actor.kind is ActorKind.STAFF else None


def _citizen_id(actor: Actor) -> UUID:
    if actor.kind is not ActorKind.CITIZEN:
        raise NotAllowed
    return UUID(actor.id)


def _shown(rows: Sequence[store.AnyRow]) -> FiledForMe:
    return FiledForMe(
        items=[
            FiledForMeItem(
                case_id=row.submission_id,
                kind=row.kind,
                unit_name_fa=row.name_fa,
                unit_name_en=row.name_en,
                channel=row.channel,
                filed_at=row.filed_at,
            )
            for row in rows
        ]
    )
