"""Who filed submissions: sealed when they are registered, opened for those allowed, on the record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection

from backbone import sealing
from backbone.storage.writes import Write
from contracts.call_backs import RevealedMobile, RevealMobile, may_call
from contracts.errors import NotAllowed, UnknownCase
from contracts.gateway import FileSubmission, GroupMembers, Identity
from contracts.intake import OpenedIdentity, OpenIdentity, OwnName, ReadOwnName
from contracts.vocabulary import IDENTITY_ROLES, ActorKind, Kind
from services.intake.identities import store
from services.intake.identities.vault import Vault
from services.intake.submissions import store as submission_store

Model = TypeVar("Model", bound=BaseModel)


class IdentityUseCases:
    """`private_keys`: those to which the gateway seals, the current one first; `index_keys`: under which the last digits of a
    mobile are hashed, for the operator who typed them, likewise."""

    def __init__(self, vault: Vault, private_keys: Sequence[bytes], index_keys: Sequence[bytes]) -> None:
        self._vault = vault
        self._private_keys = private_keys
        self._index_keys = index_keys

    def adding(self, commands: Iterable[FileSubmission]) -> list[Write]:
        """Who filed these submissions, sealed anew under the vault's keys."""
        members, identities = [], []
        for command in commands:
            submission_id = command.submission_id
            if command.sealed_members is not None:
                group = sealing.unseal(command.sealed_members, GroupMembers, self._private_keys)
                members.append((submission_id, self._vault.seal_members(submission_id, group)))
            if command.sealed_identity is not None:
                identity = self.unseal(command)
                mobile_hash = command.mobile_hash or command.identity_mobile_hash
                digits = self._digits_hash(command.filed_by, identity)
                identities.append((submission_id, mobile_hash, digits, self._vault.seal(submission_id, identity)))
        return [*store.adding_members(members), *store.adding_identities(identities)]

    def unseal(self, command: FileSubmission) -> Identity:
        """Who files a submission, as the gateway sealed it. CannotOpen."""
        assert command.sealed_identity is not None
        return sealing.unseal(command.sealed_identity, Identity, self._private_keys)

    def opened(self, sealed: str, model: type[Model]) -> Model:
        """What the gateway sealed for intake. CannotOpen."""
        return sealing.unseal(sealed, model, self._private_keys)

    def read(self, connection: Connection, submission_id: UUID) -> Identity | None:
        """Who filed a submission, for a check that tells nobody; None when it was anonymous, or is erased."""
        sealed = store.identity(connection, submission_id)
        return None if sealed is None else self._vault.open(submission_id, sealed)

    def change(
        self, connection: Connection, submission_id: UUID, identity: Identity, mobile_hash: str, filed_by: str
    ) -> None:
        """Seals the identity anew, with another mobile. `filed_by`: the operator who finds it by its last digits."""
        sealed = self._vault.seal(submission_id, identity)
        digits = self._digits_hash(UUID(filed_by), identity)
        store.replace_identity(connection, submission_id, mobile_hash, digits, sealed)

    def digits_hashes(self, operator: str, digits: str) -> list[str]:
        """What the last digits of a mobile are stored under, for this operator alone; the current key's first."""
        return [sealing.keyed_hash(f"last digits:{operator}:{digits}", key) for key in self._index_keys]

    def _digits_hash(self, filed_by: UUID | None, identity: Identity) -> str | None:
        if filed_by is None or identity.mobile is None:
            return None
        return self.digits_hashes(str(filed_by), identity.mobile[-4:])[0]

    def own_name(self, connection: Connection, request: ReadOwnName) -> OwnName:
        """The name in a citizen's own submission, for their letter, and the ends of their numbers. NotAllowed for anyone who is
        no citizen signed in."""
        if request.actor.kind is not ActorKind.CITIZEN:
            raise NotAllowed
        row = submission_store.submission(connection, request.case_id)
        sealed = store.identity(connection, request.case_id)
        if row is None or row.citizen_id != UUID(request.actor.id):
            return OwnName()
        if sealed is None:
            return OwnName(own=True)
        identity = self._vault.open(request.case_id, sealed)
        return OwnName(
            own=True,
            name=identity.name,
            mobile_end=identity.mobile[-4:] if identity.mobile else None,
            national_id_end=identity.national_id[-4:] if identity.national_id else None,
        )

    def open(self, connection: Connection, request: OpenIdentity) -> OpenedIdentity:
        """Who filed a submission, for whom tracking granted it, on the record. UnknownCase when there is no identity."""
        if not request.actor.roles & IDENTITY_ROLES:
            raise NotAllowed
        sealed = store.identity(connection, request.case_id)
        if sealed is None:
            raise UnknownCase
        store.record_opening(connection, request)
        members = store.members(connection, request.case_id)
        return OpenedIdentity(
            identity=self._vault.open(request.case_id, sealed),
            members=self._vault.open_members(request.case_id, members).items if members else [],
        )

    def reveal_mobile(self, connection: Connection, request: RevealMobile) -> RevealedMobile:
        """The mobile of a citizen whom an operator is to call, on the record, and nothing else. NotAllowed; UnknownCase where
        there is no identity, and for every report of wrongdoing."""
        if request.actor.kind is not ActorKind.STAFF or not may_call(request.actor.roles):
            raise NotAllowed
        row = submission_store.submission(connection, request.case_id)
        sealed = store.identity(connection, request.case_id)
        if row is None or sealed is None or row.kind == Kind.INFORMATION:
            raise UnknownCase
        opening = OpenIdentity(actor=request.actor, case_id=request.case_id, reason="call-back list: mobile")
        store.record_opening(connection, opening)
        return RevealedMobile(mobile=self._vault.open(request.case_id, sealed).mobile)


def rotate_master_key(connection: Connection, vault: Vault, limit: int = 500) -> int:
    """Wraps up to `limit` data keys of each table under the current master key; how many."""
    wrapped = 0
    for table in store.SEALED:
        for row in store.under_other_keys(connection, table, vault.current, limit):
            key = vault.rewrap(row.master_key, bytes(row.wrapped_key))
            store.set_wrapped_key(connection, table, row.submission_id, vault.current, key)
            wrapped += 1
    return wrapped
