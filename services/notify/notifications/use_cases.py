"""What notify does with events of other services: it keeps what it needs of them, and composes the messages they cause.

Each use case takes events of one queue. Those that cause messages read in one statement and write in another, on a connection
whose statements are transactions; but for a new code, and for copies of what other services keep: these are one transaction each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import Connection

from backbone.messaging import inbox, outbox
from backbone.messaging.consumers import TryLater
from backbone.storage import writes
from backbone.storage.writes import Write
from contracts.accounts import CitizenAccountDeleted, OtpRequested, SignInFailuresNoted, StaffChanged
from contracts.desk import SubmissionClaimed, SubmissionDisowned
from contracts.errors import NotAllowed
from contracts.identities import IdentityEvent
from contracts.intake import CatalogueChanged, SubmissionRecoded, SubmissionRegistered
from contracts.leaves import LeaveChanged
from contracts.notify import CodeSent, SendCode
from contracts.own_account import AccountSecurityChanged
from contracts.staff_changes import StaffChangeDecided, StaffChangeRequested
from contracts.tracking import CaseOpened, RetentionDue, TrackedEvent
from contracts.vocabulary import ActorKind, KeptPart
from services.notify.clock import Clock
from services.notify.delivery.outcome import outcome_event
from services.notify.delivery.store import mark_due
from services.notify.inbound.settled_replies import SettledReplies
from services.notify.notifications import store
from services.notify.notifications.composer import Draft, MessageComposer, save_drafts, writing
from services.notify.notifications.of_codes import CodeRequested
from services.notify.notifications.rules import BRINGING_A_CODE
from services.notify.preferences.store import Holder, HolderKind
from services.notify.push.store import forget_holder
from services.notify.webhooks.deliveries import delivering

ContactChange = SubmissionRecoded | SubmissionClaimed | SubmissionDisowned
StaffEvent = (
    OtpRequested
    | SignInFailuresNoted
    | AccountSecurityChanged
    | IdentityEvent
    | StaffChangeRequested
    | StaffChangeDecided
)
AnyEvent = TypeVar("AnyEvent", bound=StaffEvent | SubmissionRegistered | TrackedEvent)


@dataclass(frozen=True)
class _Batch(Generic[AnyEvent]):
    """Events of one queue whose effect is not there yet, each once, in order. `drafts`: the messages that each causes; `stored`:
    what there is already."""

    consumer: str
    events: Sequence[AnyEvent]
    drafts: Mapping[UUID, Sequence[Draft]]
    stored: store.Stored


class NotificationUseCases:
    """`replies`: confirms answers by SMS that the events of a case settle."""

    def __init__(self, composer: MessageComposer, replies: SettledReplies, clock: Clock) -> None:
        self._composer, self._replies = composer, replies
        self._clock = clock

    # --- intake ---

    def contact_changed(self, connection: Connection, event: ContactChange) -> None:
        """What changes about how a citizen is reached. TryLater when what comes before has not arrived yet."""
        match event:
            case SubmissionRecoded():
                arrived = self.submission_recoded(connection, event)
            case SubmissionClaimed():
                arrived = self.claimed(connection, event)
            case SubmissionDisowned():
                arrived = self.disowned(connection, event)
        if not arrived:
            raise TryLater("what comes before it has not arrived yet")

    def submissions_registered(self, connection: Connection, events: Sequence[SubmissionRegistered]) -> None:
        """Keeps how each citizen is reached, and sends them their code."""
        in_order = sorted(events, key=lambda event: event.case_id)
        writes.repeated_when_outrun(lambda: self._register(connection, in_order))

    def _register(self, connection: Connection, events: Sequence[SubmissionRegistered]) -> None:
        batch = self._read(connection, "contacts", events, [event.case_id for event in events])
        # An event that comes again after the citizen was erased brings nothing back.
        fresh = [event for event in batch.events if event.case_id not in batch.stored.erased]
        contacts = [
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
        ]
        without_mobile = {event.case_id for event in fresh if event.sealed_contact is None}
        anonymous = {event.case_id for event in fresh if event.anonymous}
        accounts = {event.case_id: event.citizen_id for event in fresh if event.citizen_id is not None}
        kept = store.adding_contacts(contacts)
        self._write(connection, batch, fresh, kept, without_mobile, anonymous, accounts=accounts)

    def submission_recoded(self, connection: Connection, event: SubmissionRecoded) -> bool:
        """Sends the code that replaces the one before; False when the submission itself has not arrived yet.

        What waits for the citizen goes to the mobile that they have now. One that an even later code replaced does nothing.
        """
        if store.erased_cases(connection, [event.case_id]):
            return True
        contact = store.contact_of(connection, event.case_id)
        if contact is None:
            return False
        if not inbox.first_time(connection, "contacts", event.id) or contact.code_attempt >= event.attempt:
            return True
        store.recode_contact(connection, event.case_id, event.code_hash, event.sealed_contact, event.attempt)
        if event.holder is not None:
            store.set_holder(connection, event.case_id, event.holder.mobile_hash, event.holder.citizen_id)
        elif event.reason == "corrected":  # published by an earlier release
            store.set_holder(connection, event.case_id, event.mobile_hash, None)
        moment = self._clock()
        # Whoever had the code until now reads the case no more.
        forget_holder(connection, Holder(HolderKind.CASE, event.case_id), moment)
        superseded = store.supersede(connection, event.case_id, BRINGING_A_CODE)
        outbox.add(connection, *(outcome_event(row, row.state, row.reason, moment) for row in superseded))
        without_mobile = [event.case_id] if event.sealed_contact is None else []
        save_drafts(connection, self._composer.compose(event, kind=contact.kind), moment, without_mobile)
        return True

    def claimed(self, connection: Connection, event: SubmissionClaimed) -> bool:
        """The citizen reads the messages of their case signed in; False when what comes before has not arrived yet."""
        contact = store.contact_of(connection, event.case_id)
        if store.erased_cases(connection, [event.case_id]):
            return True
        if contact is None or contact.code_attempt < event.attempt:
            return False
        if contact.code_attempt == event.attempt:  # else the later code came with whose the case is
            store.set_citizen(connection, event.case_id, event.citizen_id)
        return True

    def disowned(self, connection: Connection, event: SubmissionDisowned) -> bool:
        """No message goes to this mobile any more, and the operator who filed it is told, unless they have corrected it since;
        False as above."""
        contact = store.contact_of(connection, event.case_id)
        if store.erased_cases(connection, [event.case_id]):
            return True
        if contact is None or contact.code_attempt < event.attempt:
            return False
        if not inbox.first_time(connection, "contacts", event.id):
            return True
        if contact.code_attempt == event.attempt:
            store.forget_mobile(connection, event.case_id)
            forget_holder(connection, Holder(HolderKind.CASE, event.case_id), self._clock())
        if contact.code_attempt == event.attempt or contact.mobile_hash is None:
            save_drafts(connection, self._composer.compose(event, kind=contact.kind), self._clock())
        return True

    def catalogue_changed(self, connection: Connection, event: CatalogueChanged) -> None:
        """Keeps the tree of units and the names of refusal reasons."""
        tree = [(unit.code, unit.parent) for unit in event.catalogue.units]
        if store.keep_units(connection, event.catalogue.version, tree):
            reasons = event.catalogue.refusal_reasons
            names = [{"code": reason.code, "fa": reason.name_fa, "en": reason.name_en} for reason in reasons]
            store.keep_refusal_reasons(connection, names)

    # --- accounts, and identities that are opened ---

    def account_deleted(self, connection: Connection, event: CitizenAccountDeleted) -> None:
        """No account shows the messages of its cases any more, nor are its devices told; with their codes they are still read.
        How their citizen is reached by SMS stays, as long as the cases' retention says."""
        store.forget_account(connection, event.citizen_id)
        forget_holder(connection, Holder(HolderKind.CITIZEN, event.citizen_id), self._clock())

    def staff_changed(self, connection: Connection, event: StaffChanged | LeaveChanged) -> None:
        """Keeps roles and unit of a member of staff, and who stands in for them, for what their inboxes may show."""
        if isinstance(event, LeaveChanged):
            store.keep_leave(connection, event)
            if event.unfit:
                save_drafts(connection, self._composer.compose(event), self._clock())
            return
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

    def send_code(self, connection: Connection, request: SendCode) -> CodeSent:
        """Sends a tracking code to the mobile that its holder names. NotAllowed for whoever holds none."""
        if request.actor.kind is not ActorKind.BEARER:
            raise NotAllowed
        moment = self._clock()
        event = CodeRequested(str(uuid4()), moment, request.sealed_contact, request.actor.language)
        save_drafts(connection, self._composer.compose(event), moment)
        return CodeSent()

    def sign_in_failures_noted(self, connection: Connection, event: SignInFailuresNoted) -> None:
        """Notifies a member of staff that others try to sign in as them."""
        self._once(connection, "sign_ins", event)

    def account_security_changed(self, connection: Connection, event: AccountSecurityChanged) -> None:
        """Notifies a member of staff of what was changed about how they sign in."""
        self._once(connection, "account_security", event)

    def identity_event(self, connection: Connection, event: IdentityEvent) -> None:
        """Notifies custodians that their consent is needed, and who asked for it what they decided."""
        self._once(connection, "identities", event)

    def staff_change_event(self, connection: Connection, event: StaffChangeRequested | StaffChangeDecided) -> None:
        """Notifies all custodians of a role that opens identities."""
        self._once(connection, "staff_changes", event)

    def _once(self, connection: Connection, consumer: str, event: StaffEvent) -> None:
        writes.repeated_when_outrun(lambda: self._notify(connection, consumer, event))

    def _notify(self, connection: Connection, consumer: str, event: StaffEvent) -> None:
        batch = self._read(connection, consumer, [event])
        self._write(connection, batch, batch.events)

    # --- tracking ---

    def case_events(self, connection: Connection, events: Sequence[TrackedEvent]) -> None:
        """Keeps the state of each case, and composes the messages and the deliveries to partner systems that the events cause."""
        in_order = sorted(events, key=lambda event: (event.case_id, event.sequence))
        writes.repeated_when_outrun(lambda: self._follow(connection, in_order))

    def _follow(self, connection: Connection, events: Sequence[TrackedEvent]) -> None:
        batch = self._read(connection, "cases", events, [event.case_id for event in events])
        if any(isinstance(event, CaseOpened) and not event.state.anonymous for event in batch.events):
            mark_due(connection)  # a message that waited for its case may go now
        anonymous = {event.case_id for event in batch.events if event.state.anonymous}
        settled = self._replies.settle(connection, batch.events)
        states = store.keeping_cases(list(latest_states(batch.events).values()))
        deliveries = delivering(connection, batch.events, batch.stored.subscribers, self._clock())
        kept = [*states, *settled.writes, *deliveries]
        self._write(connection, batch, batch.events, kept, batch.stored.without_mobile, anonymous, settled.drafts)

    def retention_due(self, connection: Connection, event: RetentionDue) -> None:
        """Erases who filed a case and how they are reached, when the time of that is over; nothing brings it back."""
        if event.part is not KeptPart.IDENTITY:
            return
        rule = f"{event.state.kind}, {event.rule_outcome or 'any outcome'}: {event.months} months"
        store.add_erasure(connection, event.case_id, rule)
        store.erase_citizen(connection, event.case_id)
        forget_holder(connection, Holder(HolderKind.CASE, event.case_id), self._clock())

    # --- all events that cause messages ---

    def _read(
        self, connection: Connection, consumer: str, events: Sequence[AnyEvent], cases: Collection[UUID] = ()
    ) -> _Batch[AnyEvent]:
        """Those of these events that are new. `cases`: those of which it is asked how their citizen is reached."""
        drafts = {event.id: self._composer.compose(event) for event in events}
        messages = [draft.id for composed in drafts.values() for draft in composed]
        stored = store.read_stored(connection, consumer, list(drafts), messages, cases)
        return _Batch(consumer, inbox.unhandled(events, stored.handled), drafts, stored)

    def _write(
        self,
        connection: Connection,
        batch: _Batch[AnyEvent],
        notifying: Sequence[AnyEvent],
        kept: Sequence[Write] = (),
        without_mobile: Collection[UUID] = (),
        quiet_cases: Collection[UUID] = (),
        answers: Collection[Draft] = (),
        accounts: Mapping[UUID, UUID] = MappingProxyType({}),
    ) -> None:
        """Records a batch together with what is kept of its events and with the messages of those of them that cause any.
        `answers`: to handsets, besides; `accounts`: citizens by case, where the contact is written with the messages."""
        moment = self._clock()
        drafts = {draft.id: draft for event in notifying for draft in batch.drafts[event.id]}
        drafts |= {draft.id: draft for draft in answers}
        rows = [draft.row(moment, without_mobile) for draft in drafts.values() if draft.id not in batch.stored.messages]
        messages = writing(connection, rows, moment, quiet_cases, accounts)
        writes.execute_all(connection, [*inbox.recording(batch.consumer, batch.events), *kept, *messages])


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
            "object_until": event.state.object_until,
            "rate_until": event.state.rate_until,
        }
    return rows
