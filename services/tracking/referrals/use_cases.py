"""Referring a case to a competent body outside. The gateway makes the package of what is prepared here, and it is recorded
before any of it is handed out; nothing of it is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Row

from backbone.storage import cursors
from contracts.errors import Gone, InvalidField, NotAllowed, NotFound, UnknownCase, UnknownUpload
from contracts.gateway import FILED_CONTENT, Actor
from contracts.intake import OutsideBody
from contracts.media import UploadState
from contracts.referrals import (
    ListReferrals,
    PrepareReferral,
    RecordReferral,
    RecordReferralAnswer,
    Referral,
    ReferralDraft,
    Referrals,
    ReferredCase,
    ReferredFile,
)
from contracts.tracking import Attachment, AuthorizeIdentity, StaffCase
from contracts.vocabulary import ActorKind, Role
from services.tracking.case import store as case_store
from services.tracking.case import views
from services.tracking.case.access import Access, actor_id
from services.tracking.case.context import Contexts
from services.tracking.case.idempotency import done_before
from services.tracking.case.lifecycle import Case
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.record import Recorder
from services.tracking.case.scope import Scope
from services.tracking.evidence.store import label_of
from services.tracking.identities.use_cases import IdentityUseCases
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.reference.workdays import day_of
from services.tracking.referrals import rules, store

_MADE_OF_KEYS = UUID("3b9c6f0a-58d1-5d7e-9a42-e1f07c64b8d3")  # the space of such ids; never to be changed
_NEW_EACH_TIME = ("contents", "sha256", "size", "key_fingerprint")
"""Fields of a RecordReferral that are others when a package is made again."""
_READERS = frozenset({Role.HEAD, Role.SUBSTITUTE, Role.AUDITOR})
_TEXTLESS = frozenset({Role.AUDITOR})
"""The auditor reads the register, and no texts in it."""
_OF_CASE = (
    "number",
    "kind",
    "stage",
    "unit",
    "unit_name_fa",
    "unit_name_en",
    "ground",
    "channel",
    "anonymous",
    "filed_at",
)
_WRITTEN = tuple(name for name in FILED_CONTENT if name != "visit_wanted")


class ReferralUseCases:
    """The use cases of heads, and of substitutes for cases about the inspection itself."""

    def __init__(
        self,
        access: Access,
        catalogue: CatalogueCopy,
        contexts: Contexts,
        recorder: Recorder,
        identities: IdentityUseCases,
    ) -> None:
        self._access, self._catalogue, self._contexts = access, catalogue, contexts
        self._recorder, self._identities = recorder, identities

    def prepare(self, connection: Connection, request: PrepareReferral) -> ReferralDraft:
        """What goes into the package; nothing is changed, but that it was asked for is in the audit. Errors:
        PrepareReferral's."""
        scope = self._access.scope(connection, request.actor)
        case = case_store.case_in_scope(connection, request.case_id, scope)
        if case is None:
            raise UnknownCase
        body, consented_by = self._allowed(connection, case, request)
        view = views.staff_case(connection, case.case_id, scope)
        if view is None:
            raise UnknownCase
        if not view.text:
            raise Gone
        return ReferralDraft(
            referral_id=_referral_id(request),
            body=body,
            case=_referred(view, case, store.ground_names(connection, case.ground)),
            files=[_file(attachment) for attachment in _chosen(view.attachments, request.attachments)],
            consented_by=consented_by,
            prepared_at=self._contexts.now(),
        )

    def record(self, connection: Connection, request: RecordReferral) -> Referral:
        """The package is in the register, and may be handed out. Errors: PrepareReferral's; KeyReused, InvalidField."""
        reject_null_characters(request)
        scope = self._access.scope(connection, request.actor)
        case = case_store.lock_for_staff(connection, [request.case_id], scope).get(request.case_id)
        if case is None:
            raise UnknownCase
        body, consented_by = self._allowed(connection, case, request)
        if hashlib.sha256(body.age_key.encode()).hexdigest() != request.key_fingerprint:
            raise InvalidField(fields=[{"field": "body", "reason": "key_changed"}])
        referral_id, now = _referral_id(request), self._contexts.now()
        package = {"sha256": request.sha256, "size": request.size, "made_at": now.isoformat()}
        key = request.idempotency_key
        if done_before(connection, request.actor, key, case.case_id, request, exclude=_NEW_EACH_TIME):
            store.add_package(connection, referral_id, package)
            return self._shown(connection, referral_id, scope, request.actor)
        row = {
            "referral_id": referral_id,
            "case_id": case.case_id,
            "body": body.code,
            "body_name_fa": body.name_fa,
            "body_name_en": body.name_en,
            "key_fingerprint": request.key_fingerprint,
            "identity": request.identity,
            "consented_by": consented_by,
            "reason": request.reason,
            "contents": [file.model_dump() for file in request.contents],
            "packages": [package],
            "made_by": actor_id(request.actor, ActorKind.STAFF),
            "made_at": now,
        }
        store.add(connection, row)
        self._recorder.record(connection, rules.refer(case, body, request, referral_id), request.actor, now)
        return self._shown(connection, referral_id, scope, request.actor)

    def referrals(self, connection: Connection, request: ListReferrals) -> Referrals:
        """The register, the newest first. NotAllowed, UnknownCase."""
        scope = self._reading_scope(connection, request.actor)
        if request.case_id is not None and case_store.case_in_scope(connection, request.case_id, scope) is None:
            raise UnknownCase
        after = None if request.after is None else cursors.decode(request.after)
        narrowed = (request.case_id, request.body, request.answered)
        rows = store.page(connection, scope, *narrowed, after, request.limit + 1)
        items = [_line(row, request.actor) for row in rows[: request.limit]]
        more = len(rows) > request.limit
        return Referrals(items=items, next=cursors.encode(items[-1].made_at, items[-1].referral_id) if more else None)

    def record_answer(self, connection: Connection, request: RecordReferralAnswer) -> Referral:
        """What the body answered. NotFound, NotAllowed, InvalidField, KeyReused."""
        reject_null_characters(request)
        scope = self._access.scope(connection, request.actor)
        row = store.referral_of(connection, request.referral_id, scope)
        if row is None:
            raise NotFound
        case = case_store.lock_for_staff(connection, [row.case_id], scope)[row.case_id]
        rules.authorise(request.actor, case, self._catalogue.current(connection).about_inspection)
        if not done_before(connection, request.actor, request.idempotency_key, request.referral_id, request):
            now, own = self._contexts.now(), actor_id(request.actor, ActorKind.STAFF)
            change = rules.record_answer(case, request, row.body, day_of(row.made_at), day_of(now))
            answer = request.model_dump(include={"referral_id", "answered_on", "number", "text"})
            answer |= {"outcome": request.outcome.value, "recorded_by": own, "recorded_at": now}
            answer_id = uuid5(_MADE_OF_KEYS, f"{own}:{request.referral_id}:{request.idempotency_key}")
            store.add_answer(connection, {"answer_id": answer_id, **answer})
            self._recorder.record(connection, change, request.actor, now)
        return self._shown(connection, request.referral_id, scope, request.actor)

    def _allowed(self, connection: Connection, case: Case, request: PrepareReferral) -> tuple[OutsideBody, UUID | None]:
        """The body, and who consented that the identity goes with it; or why this referral may not be."""
        city = self._catalogue.current(connection)
        rules.authorise(request.actor, case, city.about_inspection)
        rules.require_stage(case)
        body = rules.require_body(city.outside_bodies, request.body)
        if not request.identity:
            return body, None
        if case.anonymous:
            raise InvalidField(fields=[{"field": "identity", "reason": "anonymous_case"}])
        wish = AuthorizeIdentity(actor=request.actor, case_id=case.case_id)
        return body, self._identities.authorize(connection, wish).consented_by

    def _reading_scope(self, connection: Connection, actor: Actor) -> Scope:
        if not actor.roles & _READERS:
            raise NotAllowed
        if actor.roles & _TEXTLESS:
            return self._access.conflict_free_scope(connection, actor)
        return self._access.scope(connection, actor)

    @staticmethod
    def _shown(connection: Connection, referral_id: UUID, scope: Scope, actor: Actor) -> Referral:
        row = store.referral_of(connection, referral_id, scope)
        if row is None:
            raise NotFound
        return _line(row, actor)


def _referral_id(request: PrepareReferral) -> UUID:
    """The same for whoever repeats a request under its key."""
    return uuid5(_MADE_OF_KEYS, f"{request.actor.id}:{request.case_id}:{request.idempotency_key}")


def _line(row: Row[Any], actor: Actor) -> Referral:
    line = dict(row._mapping) | {"answers": row.answers or []}
    if actor.roles & _TEXTLESS and Role.HEAD not in actor.roles:
        line |= {"reason": None, "answers": [{**answer, "text": None} for answer in line["answers"]]}
    return Referral.model_validate(line)


def _referred(view: StaffCase, case: Case, ground_names: Any) -> ReferredCase:
    """The case without anybody of the office, and without whoever filed it."""
    own = {name: getattr(view, name) for name in (*_OF_CASE, *_WRITTEN, "group")}
    decided = {name: getattr(case, name) for name in ("outcome", "reasons", "decided_at", "history_hash")}
    lines = [{"at": entry.at, "entry": entry.entry, "stage": entry.stage} for entry in view.timeline]
    return ReferredCase.model_validate({**own, **decided, **ground_names, "timeline": lines}, from_attributes=True)


def _chosen(attachments: Sequence[Attachment], named: Sequence[str] | None) -> list[Attachment]:
    """Those that are named, or all that are there to be read. UnknownUpload for one that is not."""
    ready = {line.media_id: line for line in attachments if line.state is UploadState.ACCEPTED}
    if named is None:
        return list(ready.values())
    if set(named) - ready.keys():
        raise UnknownUpload
    return [ready[media_id] for media_id in dict.fromkeys(named)]


def _file(line: Attachment) -> ReferredFile:
    label = label_of(line.number, line.from_office)
    about = line.model_dump(include={"media_id", "media_type", "size", "from_office"})
    return ReferredFile(label=label, **about)
