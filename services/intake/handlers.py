"""What intake does: registers submissions in batches, answers for the catalogue, keeps the identities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone import sealing
from backbone.messaging import outbox
from backbone.process.settings import secret, secrets
from backbone.storage import idempotency
from contracts import tracking_codes
from contracts.base import now
from contracts.errors import InvalidField, NotAllowed, StaleVersion, UnknownCase
from contracts.gateway import Actor, Contact, FileSubmission, GroupMembers, Identity
from contracts.intake import (
    Catalogue,
    CatalogueChanged,
    Change,
    ChangeConfiguration,
    CheckReceipt,
    ConfigurationHistory,
    GetConfiguration,
    IdentityErased,
    ListConfigurationHistory,
    OpenedIdentity,
    OpenIdentity,
    OwnName,
    ReadOwnName,
    ReceiptState,
    SubmissionRecoded,
    SubmissionRegistered,
)
from contracts.tracking import RetentionDue
from contracts.vocabulary import ActorKind, KeptPart, Role
from services.intake import store
from services.intake.domain import Target, changed, differences, problems, target
from services.intake.identities import Vault
from services.intake.models import configuration_commands
from services.intake.settings import Settings

_BODY = (
    *("answers", "text", "happened_on", "place", "reference", "people", "visit_wanted", "uploads", "filed_by"),
    "group",
)


class Intake:
    """The use cases of one process; keeps the catalogue in memory and reads it again when its version has grown."""

    def __init__(self, settings: Settings) -> None:
        self._index_keys = secrets(settings.code_index_keys)
        self._mac_keys = secrets(settings.code_mac_keys)
        self._derive_key = secret(settings.code_derive_key)
        self._private_keys = secrets(settings.intake_private_keys)
        self._notify_key = secret(settings.notify_public_key)
        self._vault = Vault({name: secret(key) for name, key in settings.identity_master_keys.items()})
        self._catalogue: Catalogue | None = None

    # --- submissions ---

    def register(self, connection: Connection, commands: Sequence[FileSubmission]) -> None:
        """Stores what is new among `commands` and says so; a command that came before changes nothing.

        A command whose code already belongs to another submission gets a new code (DOMAIN: The tracking code).
        """
        catalogue = self.catalogue(connection)
        # Sorted: two replicas never lock the same rows in opposite order.
        by_id = {command.submission_id: command for command in sorted(commands, key=lambda c: c.code_hash)}
        targets = {id_: target(command.unit, catalogue) for id_, command in by_id.items()}
        taken = self._taken_under_another_key(connection, by_id)
        free = [command for id_, command in by_id.items() if id_ not in taken]
        added = store.add_submissions(connection, [row_of(c, targets[c.submission_id]) for c in free])
        passed = [id_ for id_ in by_id if id_ not in added]
        if passed:
            known = store.known_ids(connection, passed)
            for id_ in passed:
                if id_ not in known:
                    self._register_under_new_code(connection, by_id[id_], targets[id_])
        new = [by_id[id_] for id_ in by_id if id_ in added]
        self._keep_people(connection, new)
        outbox.add(connection, *(registered(command, targets[command.submission_id]) for command in new))

    def _taken_under_another_key(self, connection: Connection, commands: Mapping[UUID, FileSubmission]) -> set[UUID]:
        """Those whose code another submission has under an index key that is not the current one any more (or not yet):
        the table's unique hashes cannot tell."""
        others = [code_hash for command in commands.values() for code_hash in command.other_code_hashes]
        if not others:
            return set()
        owners = {command.code_hash: id_ for id_, command in commands.items()} | store.codes_taken(connection, others)
        return {
            id_
            for id_, command in commands.items()
            if any(owners.get(code_hash, id_) != id_ for code_hash in command.other_code_hashes)
        }

    def _register_under_new_code(self, connection: Connection, command: FileSubmission, to: Target) -> None:
        """Nothing, when another process has done it in the meantime."""
        for attempt in range(1, 10):
            code = self._replacement(command.submission_id, attempt)
            code_hash, *others = tracking_codes.hashes(code, self._index_keys)
            if set(store.codes_taken(connection, others).values()) - {command.submission_id}:
                continue
            recoded = command.model_copy(
                update={"code_hash": code_hash, "sealed_contact": self._contact_with(command, code)}
            )
            if store.add_submissions(connection, [row_of(recoded, to, attempt, asked=command.code_hash)]):
                self._keep_people(connection, [recoded])
                outbox.add(
                    connection,
                    registered(recoded, to),
                    SubmissionRecoded(
                        id=uuid4(),
                        occurred_at=now(),
                        case_id=command.submission_id,
                        old_code_hash=command.code_hash,
                        code_hash=code_hash,
                        sealed_contact=recoded.sealed_contact,
                    ),
                )
                return
            if store.known_ids(connection, [command.submission_id]):
                return
        raise RuntimeError("nine codes in a row were taken")

    def _replacement(self, submission_id: UUID, attempt: int) -> str:
        """Derived, so that the receipt can be answered without storing the code."""
        return tracking_codes.derive(
            self._mac_keys, self._derive_key, b"recode" + submission_id.bytes + bytes([attempt])
        )[0]

    def _contact_with(self, command: FileSubmission, code: str) -> str | None:
        # Without a contact the citizen has no mobile, or does not want to be reached there.
        if command.sealed_identity is None or command.sealed_contact is None:
            return None
        identity = sealing.unseal(command.sealed_identity, Identity, self._private_keys)
        if identity.mobile is None:
            return None
        return sealing.seal(Contact(mobile=identity.mobile, code=code, language=command.language), self._notify_key)

    def _keep_people(self, connection: Connection, commands: Sequence[FileSubmission]) -> None:
        """Who filed these, sealed, and what they agreed to."""
        consented = [(command.submission_id, command.consent) for command in commands if command.consent is not None]
        store.add_consents(connection, consented)
        sealed = [command.submission_id for command in commands if command.sealed_identity is not None]
        erased = store.erased(connection, sealed, KeptPart.IDENTITY) if sealed else set()
        store.add_members(
            connection,
            [
                (
                    command.submission_id,
                    self._vault.seal_members(
                        command.submission_id, sealing.unseal(command.sealed_members, GroupMembers, self._private_keys)
                    ),
                )
                for command in commands
                if command.sealed_members is not None and command.submission_id not in erased
            ],
        )
        store.add_identities(
            connection,
            [
                (
                    command.submission_id,
                    command.mobile_hash,
                    self._vault.seal(
                        command.submission_id, sealing.unseal(command.sealed_identity, Identity, self._private_keys)
                    ),
                )
                for command in commands
                if command.sealed_identity is not None and command.submission_id not in erased
            ],
        )

    def check_receipt(self, connection: Connection, request: CheckReceipt) -> ReceiptState:
        """What became of a submission, for the holder of its receipt; UnknownCase when id and code do not belong together."""
        row = store.submission(connection, request.submission_id)
        if row is None:
            return ReceiptState(registered=False)
        if row.code_hash in request.code_hashes:
            return ReceiptState(registered=True, registered_at=row.registered_at)
        if row.code_attempt > 0 and row.code_hash_asked in request.code_hashes:
            return ReceiptState(
                registered=True,
                registered_at=row.registered_at,
                new_code=self._replacement(request.submission_id, row.code_attempt),
            )
        raise UnknownCase

    # --- the catalogue ---

    def catalogue(self, connection: Connection) -> Catalogue:
        """The catalogue as it is now."""
        if self._catalogue is None or self._catalogue.version != store.catalogue_version(connection):
            self._catalogue = store.catalogue(connection)
        return self._catalogue

    def configuration(self, connection: Connection, request: GetConfiguration) -> Catalogue:
        """The same, to the administrator."""
        _only_administrator(request.actor)
        return self.catalogue(connection)

    def change_configuration(self, connection: Connection, request: ChangeConfiguration) -> Catalogue:
        """All of the changes or none; the catalogue after them. StaleVersion, InvalidField, KeyReused."""
        _only_administrator(request.actor)
        store.lock_catalogue(connection)
        digest = idempotency.command_hash(request, exclude=["expected_version"])
        key = request.idempotency_key
        if not idempotency.repeated(connection, configuration_commands, request.actor, key, digest):
            version = store.catalogue_version(connection)
            if version != request.expected_version:
                later = store.history_since(connection, request.expected_version)
                raise StaleVersion(current=version, changes=[one.model_dump(mode="json") for one in later])
            reconfigure(connection, request.actor.id, request.changes)
        return store.catalogue(connection)

    def configuration_history(self, connection: Connection, request: ListConfigurationHistory) -> ConfigurationHistory:
        """Who changed what, the newest first."""
        _only_administrator(request.actor)
        found = store.history(connection, request, request.limit + 1)
        shown = found[: request.limit]
        return ConfigurationHistory(items=shown, next=str(shown[-1].id) if len(found) > request.limit else None)

    # --- identities ---

    def own_name(self, connection: Connection, request: ReadOwnName) -> OwnName:
        """The name in a citizen's own submission, for their letter. NotAllowed for anyone who is no citizen signed in."""
        if request.actor.kind is not ActorKind.CITIZEN:
            raise NotAllowed
        row = store.submission(connection, request.case_id)
        sealed = store.identity(connection, request.case_id)
        if row is None or sealed is None or row.citizen_id != UUID(request.actor.id):
            return OwnName()
        return OwnName(name=self._vault.open(request.case_id, sealed).name)

    def open_identity(self, connection: Connection, request: OpenIdentity) -> OpenedIdentity:
        """Who filed a submission, to those allowed, on the record. UnknownCase when nobody is known."""
        if not request.actor.roles & {Role.HEAD, Role.CUSTODIAN}:
            raise NotAllowed
        sealed = store.identity(connection, request.case_id)
        if sealed is None:
            raise UnknownCase
        store.note_opening(connection, request)
        others = store.members(connection, request.case_id)
        return OpenedIdentity(
            identity=self._vault.open(request.case_id, sealed),
            members=self._vault.open_members(request.case_id, others).items if others else [],
        )

    def retention_due(self, connection: Connection, event: RetentionDue) -> None:
        """Erases who filed a submission, or what it says, when its time is over; once, and never to come back.

        Said again, under this event's id or another's, it erases what a backup may have brought back, and is told once.
        """
        if event.part is KeptPart.EVIDENCE:
            return
        rule = f"{event.state.kind}, {event.rule_outcome or 'any outcome'}: {event.months} months"
        first = store.note_erasure(connection, event.case_id, event.part, rule)
        if event.part is KeptPart.TEXTS:
            store.forget_texts(connection, event.case_id)
            return
        store.forget_identity(connection, event.case_id)
        if first:
            outbox.add(
                connection, IdentityErased(id=uuid4(), occurred_at=now(), case_id=event.case_id, months=event.months)
            )

    def rotate_master_key(self, connection: Connection, limit: int = 500) -> int:
        """Wraps up to `limit` data keys of a table anew under the current master key; how many."""
        wrapped = 0
        for table in store.SEALED:
            for row in store.under_other_keys(connection, table, self._vault.current, limit):
                key = self._vault.rewrap(row.master_key, bytes(row.wrapped_key))
                store.set_wrapped_key(connection, table, row.submission_id, self._vault.current, key)
                wrapped += 1
        return wrapped


def reconfigure(connection: Connection, by: str, changes: Sequence[Change]) -> int | None:
    """Changes the catalogue whole, keeps who did it, and tells everybody; its version, or None when nothing differs.

    InvalidField, and nothing changed, when the catalogue would not be a good one. What an earlier release let in, and would
    not pass today, stands in the way of no other change. The caller holds `lock_catalogue`.
    """
    old = store.catalogue(connection)
    new = changed(old, changes)
    before = set(problems(old))
    if wrong := [problem for problem in problems(new) if problem not in before]:
        raise InvalidField(fields=[problem.as_field(new) for problem in wrong])
    found = differences(old, new)
    if not found:
        return None
    version = publish_catalogue(connection, new)
    if version is not None:
        store.add_history(connection, by, version, found)
    return version


def publish_catalogue(connection: Connection, catalogue: Catalogue) -> int | None:
    """Stores a new catalogue and tells everybody; its version, or None when it is what we had."""
    version = store.replace_catalogue(connection, catalogue)
    if version is not None:
        outbox.add(
            connection,
            CatalogueChanged(
                id=uuid4(), occurred_at=now(), catalogue=catalogue.model_copy(update={"version": version})
            ),
        )
    return version


def _only_administrator(actor: Actor) -> None:
    if actor.kind is not ActorKind.STAFF or Role.ADMINISTRATOR not in actor.roles:
        raise NotAllowed


def registered(command: FileSubmission, to: Target) -> SubmissionRegistered:
    """What others are told of a submission that is stored."""
    return SubmissionRegistered(
        id=uuid4(),
        occurred_at=now(),
        case_id=command.submission_id,
        unit=to.unit,
        unit_asked=command.unit,
        unit_name_fa=to.name_fa,
        unit_name_en=to.name_en,
        anonymous=command.sealed_identity is None,
        **{
            name: getattr(command, name)
            for name in SubmissionRegistered.model_fields
            if name in FileSubmission.model_fields and name != "unit"
        },
    )


def row_of(command: FileSubmission, to: Target, attempt: int = 0, asked: str | None = None) -> dict[str, Any]:
    """A submission as it is stored."""
    body = command.model_dump(mode="json", include=set(_BODY))
    return {
        "submission_id": command.submission_id,
        "code_hash": command.code_hash,
        "code_attempt": attempt,
        "code_hash_asked": asked,
        "kind": command.kind,
        "unit": to.unit,
        "unit_asked": command.unit,
        "ground": command.ground,
        "body": body,
        "channel": command.channel,
        "language": command.language,
        "citizen_id": command.citizen_id,
        "content_hash": command.content_hash,
        "filed_at": command.filed_at,
    }
