"""Submissions: registered in batches from the queue, each once; and what became of one, for the holder of its receipt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from backbone import sealing
from backbone.messaging import outbox
from backbone.storage import writes
from contracts import tracking_codes
from contracts.base import Event, now
from contracts.errors import UnknownCase
from contracts.gateway import Contact, FileSubmission
from contracts.intake import (
    Catalogue,
    CheckReceipt,
    Question,
    ReceiptState,
    SubmissionRecoded,
    SubmissionRegistered,
)
from services.intake.catalogue.use_cases import CatalogueUseCases
from services.intake.identities.use_cases import IdentityUseCases
from services.intake.submissions import store
from services.intake.submissions.codes import CodeKeys, free_replacement, replacement
from services.intake.submissions.rules import Target, target_of, with_code_of_another

_BODY = (
    *("answers", "text", "happened_on", "place", "reference", "people", "visit_wanted", "uploads", "filed_by"),
    "group",
)


@dataclass(frozen=True)
class Registration:
    """A new submission. `answered`: the questions that were; `attempt`: how many codes were another's; `receipt_hash`: of
    the code on the receipt then."""

    command: FileSubmission
    target: Target
    answered: list[Question]
    attempt: int = 0
    receipt_hash: str | None = None

    def row(self) -> dict[str, Any]:
        return row_of(self.command, self.target, self.attempt, self.receipt_hash)

    def events(self) -> Iterator[Event]:
        """What is published of it."""
        yield registered(self.command, self.target, self.answered)
        if self.receipt_hash is not None:
            yield SubmissionRecoded(
                id=uuid4(),
                occurred_at=now(),
                case_id=self.command.submission_id,
                old_code_hash=self.receipt_hash,
                code_hash=self.command.code_hash,
                sealed_contact=self.command.sealed_contact,
                attempt=self.attempt,
            )


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
        """Stores and publishes what is new among `commands`; a command that was stored before changes nothing. One statement
        reads, one writes, each a transaction.

        A command whose code already belongs to another submission gets a new code (DOMAIN: The tracking code).
        """
        # Sorted: two replicas never lock the same rows in opposite order.
        by_id = {command.submission_id: command for command in sorted(commands, key=lambda command: command.code_hash)}
        writes.repeated_when_outrun(lambda: self._register(connection, list(by_id.values())))

    def _register(self, connection: Connection, commands: Sequence[FileSubmission]) -> None:
        codes = [code for command in commands for code in (command.code_hash, *command.other_code_hashes)]
        stored = store.read_stored(connection, [command.submission_id for command in commands], codes)
        catalogue = self._catalogue.of_version(connection, stored.catalogue)
        new = [command for command in commands if command.submission_id not in stored.submissions]
        clashing = with_code_of_another(new, stored.codes)
        registrations = [
            Registration(command, target_of(command.unit, catalogue), asked_in(command, catalogue)) for command in new
        ]
        filed = [
            self._with_new_code(connection, each) if each.command.submission_id in clashing else each
            for each in registrations
        ]
        consents = [(command.submission_id, command.consent) for command in new if command.consent is not None]
        writes.execute_all(
            connection,
            [
                *store.adding_submissions([registration.row() for registration in filed]),
                *store.adding_consents(consents),
                *self._identities.adding(command for command in new if command.submission_id not in stored.erased),
                *outbox.write([event for registration in filed for event in registration.events()]),
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
                new_code=replacement(self._keys, request.submission_id, row.code_attempt),
            )
        raise UnknownCase

    def _with_new_code(self, connection: Connection, registration: Registration) -> Registration:
        command = registration.command
        code, attempt = free_replacement(connection, self._keys, command.submission_id, 1)
        code_hash = tracking_codes.hashes(code, self._keys.index)[0]
        given = {"code_hash": code_hash, "sealed_contact": self._contact_with(command, code)}
        return replace(
            registration, command=command.model_copy(update=given), attempt=attempt, receipt_hash=command.code_hash
        )

    def _contact_with(self, command: FileSubmission, code: str) -> str | None:
        # Without a contact the citizen has no mobile, or does not want to be reached there.
        if command.sealed_identity is None or command.sealed_contact is None:
            return None
        identity = self._identities.unseal(command)
        if identity.mobile is None:
            return None
        return sealing.seal(Contact(mobile=identity.mobile, code=code, language=command.language), self._notify_key)


def asked_in(command: FileSubmission, catalogue: Catalogue) -> list[Question]:
    """The questions that were answered, as they are asked now: they may be others, or gone, when the answers are read."""
    if not command.answers:
        return []
    grounds = (ground for ground in catalogue.grounds if ground.code == command.ground)
    return [question for ground in grounds for question in ground.questions if question.code in command.answers]


def registered(command: FileSubmission, target: Target, answered: list[Question]) -> SubmissionRegistered:
    """The event of a submission that is stored. `answered`: the questions that were."""
    return SubmissionRegistered(
        id=uuid4(),
        occurred_at=now(),
        case_id=command.submission_id,
        unit=target.unit,
        unit_asked=command.unit,
        unit_name_fa=target.name_fa,
        unit_name_en=target.name_en,
        anonymous=command.sealed_identity is None,
        answered_questions=answered,
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
