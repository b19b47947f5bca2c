"""What notify does with events of other services: it keeps what it needs of them, and composes the messages they cause.

Each use case takes events of one queue, within one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from backbone.messaging import inbox, outbox
from contracts.accounts import OtpRequested, SignInFailuresNoted, StaffChanged
from contracts.identities import IdentityEvent
from contracts.intake import CatalogueChanged, SubmissionRecoded, SubmissionRegistered
from contracts.staff_changes import StaffChangeDecided, StaffChangeRequested
from contracts.tracking import CaseOpened, RetentionDue, TrackedEvent
from contracts.vocabulary import KeptPart
from services.notify.clock import Clock
from services.notify.delivery.outcome import outcome_event
from services.notify.notifications import store
from services.notify.notifications.composer import UNKNOWN_CONTACT, MessageComposer, save_drafts

StaffEvent = OtpRequested | SignInFailuresNoted | IdentityEvent | StaffChangeRequested | StaffChangeDecided


class NotificationUseCases:
    def __init__(self, composer: MessageComposer, clock: Clock) -> None:
        self._composer = composer
        self._clock = clock

    # --- intake ---

    def submissions_registered(self, connection: Connection, events: Sequence[SubmissionRegistered]) -> None:
        """Keeps how each citizen is reached, and sends them their code."""
        unseen = inbox.unseen(connection, "contacts", sorted(events, key=lambda event: event.case_id))
        erased = store.erased_cases(connection, [event.case_id for event in unseen]) if unseen else set()
        # An event that comes again after the citizen was erased brings nothing back.
        fresh = [event for event in unseen if event.case_id not in erased]
        store.add_contacts(
            connection,
            [
                {
                    "case_id": event.case_id,
                    "code_hash": event.code_hash,
                    "kind": event.kind,
                    "language": event.language,
                    "citizen_id": event.citizen_id,
                    "mobile_hash": event.mobile_hash,
                    "sealed_contact": event.sealed_contact,
                    "registered_at": event.occurred_at,
                }
                for event in fresh
            ],
        )
        drafts = [draft for event in fresh for draft in self._composer.compose(event, event.sealed_contact)]
        anonymous = [event.case_id for event in fresh if event.anonymous]
        save_drafts(connection, drafts, self._clock(), quiet_cases=anonymous)

    def submission_recoded(self, connection: Connection, event: SubmissionRecoded) -> bool:
        """Sends the code that replaces the first one; False when the submission itself has not arrived yet."""
        if store.erased_cases(connection, [event.case_id]):
            return True
        contact = store.recode_contact(connection, event.case_id, event.code_hash, event.sealed_contact)
        if contact is None:
            return False
        if not inbox.first_time(connection, "contacts", event.id):
            return True
        moment = self._clock()
        superseded = store.supersede(connection, event.case_id, "registered")
        outbox.add(connection, *(outcome_event(row, row.state, row.reason, moment) for row in superseded))
        save_drafts(connection, self._composer.compose(event, contact.sealed_contact, kind=contact.kind), moment)
        return True

    def catalogue_changed(self, connection: Connection, event: CatalogueChanged) -> None:
        """Keeps the tree of units and the names of refusal reasons."""
        tree = [(unit.code, unit.parent) for unit in event.catalogue.units]
        if store.keep_units(connection, event.catalogue.version, tree):
            reasons = event.catalogue.refusal_reasons
            names = [{"code": reason.code, "fa": reason.name_fa, "en": reason.name_en} for reason in reasons]
            store.keep_refusal_reasons(connection, names)

    # --- accounts, and identities that are opened ---

    def staff_changed(self, connection: Connection, event: StaffChanged) -> None:
        """Keeps roles and unit of a member of staff, for what their inbox may show."""
        store.keep_staff(
            connection,
            {
                "staff_id": event.staff_id,
                "version": event.version,
                "roles": sorted(event.roles),
                "unit": event.unit,
                "active": event.active,
            },
        )

    def otp_requested(self, connection: Connection, event: OtpRequested) -> None:
        """Sends a one-time code; its box stays sealed until then, and is emptied."""
        self._once(connection, "otp", event)

    def sign_in_failures_noted(self, connection: Connection, event: SignInFailuresNoted) -> None:
        """Notifies a member of staff that others try to sign in as them."""
        self._once(connection, "sign_ins", event)

    def identity_event(self, connection: Connection, event: IdentityEvent) -> None:
        """Notifies custodians that their consent is needed, and who asked for it what they decided."""
        self._once(connection, "identities", event)

    def staff_change_event(self, connection: Connection, event: StaffChangeRequested | StaffChangeDecided) -> None:
        """Notifies all custodians of a role that opens identities."""
        self._once(connection, "staff_changes", event)

    def _once(self, connection: Connection, consumer: str, event: StaffEvent) -> None:
        if inbox.first_time(connection, consumer, event.id):
            save_drafts(connection, self._composer.compose(event), self._clock())

    # --- tracking ---

    def case_events(self, connection: Connection, events: Sequence[TrackedEvent]) -> None:
        """Keeps the state of each case, and composes the messages that the events cause."""
        fresh = inbox.unseen(connection, "cases", sorted(events, key=lambda event: (event.case_id, event.sequence)))
        store.keep_cases(connection, list(latest_states(fresh).values()))
        notifying = [event for event in fresh if self._composer.notifies(event)]
        contacts = store.contacts_of(connection, [event.case_id for event in notifying])
        drafts = []
        for event in notifying:
            contact = contacts.get(event.case_id)
            sealed_contact = contact.sealed_contact if contact is not None else UNKNOWN_CONTACT
            drafts += self._composer.compose(event, sealed_contact)
        anonymous = [event.case_id for event in notifying if event.state.anonymous]
        save_drafts(connection, drafts, self._clock(), quiet_cases=anonymous)

    def retention_due(self, connection: Connection, event: RetentionDue) -> None:
        """Erases who filed a case and how they are reached, when the time of that is over; nothing brings it back."""
        if event.part is not KeptPart.IDENTITY:
            return
        rule = f"{event.state.kind}, {event.rule_outcome or 'any outcome'}: {event.months} months"
        store.add_erasure(connection, event.case_id, rule)
        store.erase_citizen(connection, event.case_id)


def latest_states(events: Sequence[TrackedEvent]) -> dict[UUID, dict[str, Any]]:
    """One row for each case: its highest sequence, with the day promised at its opening when that is among them."""
    rows: dict[UUID, dict[str, Any]] = {}
    for event in events:
        promised = event.state.expected_on if isinstance(event, CaseOpened) else None
        before = rows.get(event.case_id)
        rows[event.case_id] = {
            "case_id": event.case_id,
            "sequence": event.sequence,
            "number": event.state.number,
            "unit": event.state.unit,
            "stage": event.state.stage,
            "outcome": event.state.outcome,
            "expected_on": event.state.expected_on,
            "promised_on": promised or (before["promised_on"] if before else None),
        }
    return rows
