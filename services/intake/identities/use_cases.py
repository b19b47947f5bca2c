"""Who filed submissions: sealed when they are registered, opened for those allowed, on the record."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from backbone import sealing
from contracts.errors import NotAllowed, UnknownCase
from contracts.gateway import FileSubmission, GroupMembers, Identity
from contracts.intake import OpenedIdentity, OpenIdentity, OwnName, ReadOwnName
from contracts.vocabulary import ActorKind, KeptPart, Role
from services.intake.identities import store
from services.intake.identities.vault import Vault
from services.intake.retention import store as retention_store
from services.intake.submissions import store as submission_store


class IdentityUseCases:
    """`private_keys`: those to which the gateway seals, the current one first."""

    def __init__(self, vault: Vault, private_keys: Sequence[bytes]) -> None:
        self._vault = vault
        self._private_keys = private_keys

    def store_sealed(self, connection: Connection, commands: Sequence[FileSubmission]) -> None:
        """Who filed these submissions, sealed anew under the vault's keys; without those that are erased already."""
        sealed = [command for command in commands if command.sealed_identity or command.sealed_members]
        if not sealed:
            return
        ids = [command.submission_id for command in sealed]
        erased = retention_store.erased(connection, ids, KeptPart.IDENTITY)
        members, identities = [], []
        for command in sealed:
            submission_id = command.submission_id
            if submission_id in erased:
                continue
            if command.sealed_members is not None:
                group = sealing.unseal(command.sealed_members, GroupMembers, self._private_keys)
                members.append((submission_id, self._vault.seal_members(submission_id, group)))
            if command.sealed_identity is not None:
                identity = self._vault.seal(submission_id, self.unseal(command))
                identities.append((submission_id, command.mobile_hash, identity))
        store.add_members(connection, members)
        store.add_identities(connection, identities)

    def unseal(self, command: FileSubmission) -> Identity:
        """Who files a submission, as the gateway sealed it. CannotOpen."""
        assert command.sealed_identity is not None
        return sealing.unseal(command.sealed_identity, Identity, self._private_keys)

    def own_name(self, connection: Connection, request: ReadOwnName) -> OwnName:
        """The name in a citizen's own submission, for their letter. NotAllowed for anyone who is no citizen signed in."""
        if request.actor.kind is not ActorKind.CITIZEN:
            raise NotAllowed
        row = submission_store.submission(connection, request.case_id)
        sealed = store.identity(connection, request.case_id)
        if row is None or sealed is None or row.citizen_id != UUID(request.actor.id):
            return OwnName()
        return OwnName(name=self._vault.open(request.case_id, sealed).name)

    def open(self, connection: Connection, request: OpenIdentity) -> OpenedIdentity:
        """Who filed a submission, for the head and the custodian, on the record. UnknownCase when there is no identity."""
        if not request.actor.roles & {Role.HEAD, Role.CUSTODIAN}:
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


def rotate_master_key(connection: Connection, vault: Vault, limit: int = 500) -> int:
    """Wraps up to `limit` data keys of each table under the current master key; how many."""
    wrapped = 0
    for table in store.SEALED:
        for row in store.under_other_keys(connection, table, vault.current, limit):
            key = vault.rewrap(row.master_key, bytes(row.wrapped_key))
            store.set_wrapped_key(connection, table, row.submission_id, vault.current, key)
            wrapped += 1
    return wrapped
