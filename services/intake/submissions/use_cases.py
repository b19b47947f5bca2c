"""Submissions: registered in batches from the queue, each once; and what became of one, for the holder of its receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone import sealing
from backbone.messaging import outbox
from contracts import tracking_codes
from contracts.base import now
from contracts.errors import UnknownCase
from contracts.gateway import Contact, FileSubmission
from contracts.intake import CheckReceipt, ReceiptState, SubmissionRecoded, SubmissionRegistered
from services.intake.catalogue.use_cases import CatalogueUseCases
from services.intake.identities.use_cases import IdentityUseCases
from services.intake.submissions import store
from services.intake.submissions.rules import Target, target_of

_BODY = (
    *("answers", "text", "happened_on", "place", "reference", "people", "visit_wanted", "uploads", "filed_by"),
    "group",
)
_MAX_RECODINGS = 9
"""Codes that are tried for a submission whose code is another's; two in a row are taken once in 10¹³ times."""


@dataclass(frozen=True)
class CodeKeys:
    """Keys of tracking codes: for their check digits, for the hashes they are stored under, and to derive new ones."""

    mac: Sequence[bytes]
    index: Sequence[bytes]
    derive: bytes


class SubmissionUseCases:
    """`notify_key`: notify's public key, to which contacts are sealed."""

    def __init__(
        self, catalogue: CatalogueUseCases, identities: IdentityUseCases, keys: CodeKeys, notify_key: bytes
    ) -> None:
        self._catalogue = catalogue
        self._identities = identities
        self._keys = keys
        self._notify_key = notify_key

    def register(self, connection: Connection, commands: Sequence[FileSubmission]) -> None:
        """Stores and publishes what is new among `commands`; a command that was stored before changes nothing.

        A command whose code already belongs to another submission gets a new code (DOMAIN: The tracking code).
        """
        catalogue = self._catalogue.current(connection)
        # Sorted: two replicas never lock the same rows in opposite order.
        by_id = {command.submission_id: command for command in sorted(commands, key=lambda c: c.code_hash)}
        targets = {id_: target_of(command.unit, catalogue) for id_, command in by_id.items()}
        taken = self._taken_under_another_key(connection, by_id)
        free = [command for id_, command in by_id.items() if id_ not in taken]
        added = store.add_submissions(connection, [row_of(c, targets[c.submission_id]) for c in free])
        skipped = [id_ for id_ in by_id if id_ not in added]
        if skipped:
            existing = store.existing_ids(connection, skipped)
            for id_ in skipped:
                if id_ not in existing:
                    self._register_under_new_code(connection, by_id[id_], targets[id_])
        new = [by_id[id_] for id_ in by_id if id_ in added]
        self._store_people(connection, new)
        outbox.add(connection, *(registered(command, targets[command.submission_id]) for command in new))

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

    def _taken_under_another_key(self, connection: Connection, commands: Mapping[UUID, FileSubmission]) -> set[UUID]:
        """Those whose code another submission has under an index key that is not the current one any more (or not yet):
        the table's unique hashes cannot tell."""
        others = [code_hash for command in commands.values() for code_hash in command.other_code_hashes]
        if not others:
            return set()
        owners = {command.code_hash: id_ for id_, command in commands.items()} | store.code_owners(connection, others)
        return {
            id_
            for id_, command in commands.items()
            if any(owners.get(code_hash, id_) != id_ for code_hash in command.other_code_hashes)
        }

    def _register_under_new_code(self, connection: Connection, command: FileSubmission, target: Target) -> None:
        """Does nothing when another process has registered it in the meantime."""
        for attempt in range(1, _MAX_RECODINGS + 1):
            code = self._replacement(command.submission_id, attempt)
            code_hash, *others = tracking_codes.hashes(code, self._keys.index)
            if set(store.code_owners(connection, others).values()) - {command.submission_id}:
                continue
            recoded = command.model_copy(
                update={"code_hash": code_hash, "sealed_contact": self._contact_with(command, code)}
            )
            if store.add_submissions(connection, [row_of(recoded, target, attempt, receipt_hash=command.code_hash)]):
                self._store_people(connection, [recoded])
                outbox.add(
                    connection,
                    registered(recoded, target),
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
            if store.existing_ids(connection, [command.submission_id]):
                return
        raise RuntimeError(f"{_MAX_RECODINGS} codes in a row were taken")

    def _replacement(self, submission_id: UUID, attempt: int) -> str:
        """Derived, so that the receipt can be answered without storing the code."""
        seed = b"recode" + submission_id.bytes + bytes([attempt])
        return tracking_codes.derive(self._keys.mac, self._keys.derive, seed)[0]

    def _contact_with(self, command: FileSubmission, code: str) -> str | None:
        # Without a contact the citizen has no mobile, or does not want to be reached there.
        if command.sealed_identity is None or command.sealed_contact is None:
            return None
        identity = self._identities.unseal(command)
        if identity.mobile is None:
            return None
        return sealing.seal(Contact(mobile=identity.mobile, code=code, language=command.language), self._notify_key)

    def _store_people(self, connection: Connection, commands: Sequence[FileSubmission]) -> None:
        """Who filed these, sealed, and what they agreed to."""
        consents = [(command.submission_id, command.consent) for command in commands if command.consent is not None]
        store.add_consents(connection, consents)
        self._identities.store_sealed(connection, commands)


def registered(command: FileSubmission, target: Target) -> SubmissionRegistered:
    """The event of a submission that is stored."""
    return SubmissionRegistered(
        id=uuid4(),
        occurred_at=now(),
        case_id=command.submission_id,
        unit=target.unit,
        unit_asked=command.unit,
        unit_name_fa=target.name_fa,
        unit_name_en=target.name_en,
        anonymous=command.sealed_identity is None,
        **{
            name: getattr(command, name)
            for name in SubmissionRegistered.model_fields
            if name in FileSubmission.model_fields and name != "unit"
        },
    )


def row_of(
    command: FileSubmission, target: Target, attempt: int = 0, receipt_hash: str | None = None
) -> dict[str, Any]:
    """A submission as it is stored. `attempt`: how many codes were another's; `receipt_hash`: of the code on the receipt then."""
    body = command.model_dump(mode="json", include=set(_BODY))
    return {
        "submission_id": command.submission_id,
        "code_hash": command.code_hash,
        "code_attempt": attempt,
        "code_hash_asked": receipt_hash,
        "kind": command.kind,
        "unit": target.unit,
        "unit_asked": command.unit,
        "ground": command.ground,
        "body": body,
        "channel": command.channel,
        "language": command.language,
        "citizen_id": command.citizen_id,
        "content_hash": command.content_hash,
        "filed_at": command.filed_at,
    }
