"""Opening a sealed identity takes two: a requester, with a reason, and a custodian who consents, for a time (DOMAIN.md)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import Connection, true

from backbone.messaging import outbox
from backbone.storage import cursors
from contracts.errors import AlreadyDecided, ConsentNeeded, InvalidField, NotAllowed, NotFound, UnknownCase
from contracts.gateway import Actor
from contracts.identities import (
    AskForIdentity,
    DecideIdentityRequest,
    IdentityAsked,
    IdentityDecided,
    IdentityEvent,
    IdentityRequest,
    IdentityRequests,
    IdentityRequestState,
    ListIdentityRequests,
)
from contracts.tracking import AuthorizeIdentity, IdentityGrant
from contracts.vocabulary import IDENTITY_ROLES, ActorKind, Kind, Role
from services.tracking.case.access import Access, actor_id
from services.tracking.case.context import Clock
from services.tracking.case.idempotency import done_before
from services.tracking.case.null_characters import reject_null_characters
from services.tracking.case.scope import Scope
from services.tracking.case.view_texts import with_texts
from services.tracking.identities import store

_MADE_OF_KEYS = UUID("d7a0c1f4-93b5-5e26-8a4b-6c2f1e8d7b35")  # the space of such ids; never to be changed


class IdentityUseCases:
    """Custodians see no case: a conflict of interest alone is in their way, and the identity itself is never here."""

    def __init__(self, access: Access, clock: Clock, consent_kinds: frozenset[Kind], minutes_most: int) -> None:
        self._access, self._clock = access, clock
        self._consent_kinds, self._minutes_most = consent_kinds, minutes_most

    def request(self, connection: Connection, request: AskForIdentity) -> IdentityRequest:
        """A request that waits for a custodian. UnknownCase, InvalidField, KeyReused."""
        reject_null_characters(request)
        own, scope = self._asker(connection, request.actor)
        if store.kind_of(connection, request.case_id, scope) is None:
            raise UnknownCase
        if request.minutes > self._minutes_most:
            wrong = {"field": "minutes", "reason": "less_than_equal", "le": self._minutes_most}
            raise InvalidField(fields=[wrong])
        request_id = uuid5(_MADE_OF_KEYS, f"{own}:{request.idempotency_key}")
        if not done_before(connection, request.actor, request.idempotency_key, request_id, request):
            store.add(
                connection,
                {
                    "request_id": request_id,
                    "case_id": request.case_id,
                    "asked_by": own,
                    "asked_at": self._clock(),
                    "reason": request.reason,
                    "minutes": request.minutes,
                    "state": store.WAITING,
                    "for_head": not request.actor.roles & IDENTITY_ROLES,
                },
            )
            outbox.add(connection, self._event(store.request_of(connection, request_id, scope), IdentityAsked))
        return _shown(store.request_of(connection, request_id, scope), request.actor)

    def decide(self, connection: Connection, request: DecideIdentityRequest) -> IdentityRequest:
        """A custodian's word on another's request. NotFound, NotAllowed, AlreadyDecided."""
        reject_null_characters(request)
        own, scope = self._opener(connection, request.actor)
        if Role.CUSTODIAN not in request.actor.roles:
            raise NotAllowed
        row = store.request_of(connection, request.request_id, scope, lock=True)
        if row is None:
            raise NotFound
        if row.asked_by == own:
            raise NotAllowed
        state = store.CONSENTED if request.consent else IdentityRequestState.REFUSED.value
        if row.state == store.WAITING:
            at = self._clock()
            until = at + timedelta(minutes=row.minutes) if request.consent else None
            decision = {
                "state": state,
                "decided_by": own,
                "decided_at": at,
                "answer": request.reason,
                "open_until": until,
            }
            store.decide(connection, request.request_id, decision)
            outbox.add(connection, self._event(row, IdentityDecided, open_until=until))
        elif (row.state, row.decided_by, row.answer) != (state, own, request.reason):
            raise AlreadyDecided
        return _shown(store.request_of(connection, request.request_id, scope), request.actor)

    def requests(self, connection: Connection, request: ListIdentityRequests) -> IdentityRequests:
        """To custodians all, to others their own; of cases about units they belong to none, nor, to an inspector, of those that
        are theirs no more."""
        own, scope = self._asker(connection, request.actor)
        mine = true() if Role.CUSTODIAN in request.actor.roles else store.requested_by(own)
        after = None if request.after is None else cursors.decode(request.after)
        rows = store.page(connection, scope, mine, request.waiting_only, after, request.limit + 1)
        items = [_shown(row, request.actor) for row in rows[: request.limit]]
        more = len(rows) > request.limit
        return IdentityRequests(
            items=items, next=cursors.encode(items[-1].asked_at, items[-1].request_id) if more else None
        )

    def authorize(self, connection: Connection, request: AuthorizeIdentity) -> IdentityGrant:
        """Whether the actor may open who filed this case now, and by whose consent. UnknownCase, ConsentNeeded."""
        own, scope = self._opener(connection, request.actor)
        kind = store.kind_of(connection, request.case_id, scope)
        if kind is None:
            raise UnknownCase
        if kind not in self._consent_kinds:
            return IdentityGrant(case_id=request.case_id)
        as_head = Role.HEAD in request.actor.roles
        given = store.consent(connection, request.case_id, own, self._clock(), as_head)
        if given is None:
            raise ConsentNeeded
        return IdentityGrant(case_id=request.case_id, consented_by=given.decided_by)

    def _event(self, row: Any, event: type[IdentityEvent], **more: Any) -> IdentityEvent:
        about = {name: getattr(row, name) for name in ("request_id", "case_id", "kind", "asked_by")}
        return event.model_validate({"id": uuid4(), "occurred_at": self._clock(), **about, **more})

    def _asker(self, connection: Connection, actor: Actor) -> tuple[UUID, Scope]:
        """Who opens identities, or works on the case as its inspector. NotAllowed."""
        if actor.roles & IDENTITY_ROLES or Role.INSPECTOR not in actor.roles:
            return self._opener(connection, actor)
        return actor_id(actor, ActorKind.STAFF), self._access.scope(connection, actor)

    def _opener(self, connection: Connection, actor: Actor) -> tuple[UUID, Scope]:
        return actor_id(actor, ActorKind.STAFF), self._access.identity_scope(connection, actor)


def _shown(row: Any, reader: Actor) -> IdentityRequest:
    return with_texts(IdentityRequest(**row._mapping), reader.language)
