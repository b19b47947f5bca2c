"""What notify does with what others decided: who is to be told, over which channel, in which words (routing)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import Connection

from backbone.messaging import inbox, outbox
from contracts.accounts import OtpRequested, SignInFailuresNoted, StaffChanged, StaffChangeState
from contracts.base import Event, now
from contracts.identities import IdentityDecided, IdentityEvent
from contracts.intake import CatalogueChanged, SubmissionRecoded, SubmissionRegistered
from contracts.notify import MessageChannel, MessageState, NotificationDelivered, NotificationFailed
from contracts.staff_changes import StaffChangeDecided, StaffChangeRequested
from contracts.tracking import (
    CaseDecided,
    CaseEscalated,
    CaseOpened,
    CaseRefused,
    CaseReminded,
    DeadlineWarned,
    EvidenceAdded,
    EvidenceRefused,
    JoinedCaseDecided,
    JoinedCaseRefused,
    NoteAdded,
    RecommendationSettled,
    RetentionDue,
    TrackedEvent,
    UnitAsked,
    VisitCancelled,
    VisitEvent,
    VisitReminded,
)
from contracts.vocabulary import KeptPart, Role
from services.notify.delivery.rules import SkipReason
from services.notify.notifications import store
from services.notify.settings import Settings
from services.notify.wording.templates import Route, Table, table

Clock = Callable[[], datetime]

_MESSAGES = UUID("5b6d0f3c-6a0b-5e0f-9b0e-6f8f5f0c2a11")  # the space of our message ids; never to be changed


def message_id(key: str, audience: str, channel: str) -> UUID:
    """The id of a message: the same whenever it is made again of the same event."""
    return uuid5(_MESSAGES, f"{key}:{audience}:{channel}")


@dataclass
class Draft:
    """A message to be: what the routing table wants told, before it is known whether it can be."""

    route: Route
    key: str
    event: str
    at: datetime
    case_id: UUID | None = None
    params: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def row(self, moment: datetime) -> dict[str, Any]:
        """As it is stored: due, or in the inbox at once."""
        inbox_message = self.route.channel == MessageChannel.INBOX
        return {
            "id": message_id(self.key, self.route.audience, self.route.channel),
            "event": self.event,
            "case_id": self.case_id,
            "channel": self.route.channel,
            "audience": self.route.audience,
            "template": self.route.template,
            "params": self.params,
            "state": MessageState.DELIVERED if inbox_message else MessageState.DUE,
            "reason": None,
            "urgent": self.route.urgent,
            "waits_for_case": False,
            "stages": sorted(self.route.stages) if self.route.stages else None,
            "asks_reply": self.route.reply,
            "at": self.at,
            "created_at": moment,
            "next_attempt_at": moment,
            "delivered_at": moment if inbox_message else None,
            "language": None,
            "staff_id": None,
            "role": None,
            "unit": None,
            "sealed": None,
            "mobile_hash": None,
            "reply_until": None,
            "expires_at": None,
            **self.more,
        }


def keep_drafts(
    connection: Connection, drafts: Iterable[Draft], moment: datetime, *, quiet_cases: Sequence[UUID] = ()
) -> None:
    """Stores messages and says of those that are over already, in the inbox or skipped, that they are.

    `quiet_cases`: nobody expects to hear that their citizen, whom nobody knows, was not told.
    """
    rows = [draft.row(moment) for draft in drafts]
    new = store.add_messages(connection, rows)
    quiet = set(quiet_cases)
    outbox.add(
        connection,
        *(
            ended(row, row["state"], row["reason"], moment)
            for row in rows
            if row["id"] in new
            and row["state"] in (MessageState.DELIVERED, MessageState.SKIPPED)
            and not (row["state"] == MessageState.SKIPPED and row["case_id"] in quiet)
        ),
    )


def ended(
    message: Mapping[str, Any] | store.AnyRow, state: str, reason: str | None, moment: datetime
) -> NotificationDelivered | NotificationFailed:
    """The event that tells how a message ended."""
    row = message if isinstance(message, Mapping) else dict(message._mapping)
    about = {
        "id": uuid4(),
        "occurred_at": moment,
        "message_id": row["id"],
        "case_id": row["case_id"],
        "template": row["template"],
        "channel": row["channel"],
    }
    if state == MessageState.DELIVERED:
        return NotificationDelivered(**about, to_citizen=row["audience"] in ("citizen", "handset"))
    return NotificationFailed(**about, reason=reason or "unknown")


class Telling:
    """Who is to be told of an event, over which channel, in which words: as the routing table says. Reads nothing else."""

    def __init__(self, words: Table | None = None) -> None:
        self._table = words or table()

    def of_case(self, event: TrackedEvent, sealed_contact: str | None) -> list[Draft]:
        """What an event of a case tells; `sealed_contact`: how its citizen is reached, "" when that is not known yet."""
        drafts = []
        for route in self._routes(event):
            if route.audience == "citizen":
                drafts.append(self._to_citizen(route, event, event.case_id, sealed_contact))
            elif route.audience == "mentioned":
                drafts += self._to_mentioned(route, event)
            elif (draft := self._to_staff(route, event)) is not None:
                drafts.append(draft)
        return drafts

    def _routes(self, event: TrackedEvent) -> list[Route]:
        when: set[str] = set()
        if isinstance(event, CaseDecided):
            when.add("final" if event.final else "not_final")
            if event.recommended_to is not None:
                when.add("advised")
        if isinstance(event, NoteAdded) and event.mentions:
            when.add("mentioned")
        if isinstance(event, RecommendationSettled) and event.now == "open":
            when.add("sent_back")
        if isinstance(event, EvidenceAdded) and event.by_citizen:
            when.add("by_citizen" if event.state.handler is not None else "by_citizen_unassigned")
        if isinstance(event, EvidenceRefused) and event.first:
            when.add("first")
        if isinstance(event, DeadlineWarned):
            unassigned = event.step == "decision" and event.state.handler is None
            when.add("unassigned" if unassigned else event.step)
        if isinstance(event, CaseEscalated):
            when.add("mayor" if event.level == "mayor" else event.step)
        if isinstance(event, VisitCancelled):
            when.add(event.by)
        if isinstance(event, VisitReminded):
            when.add(event.before)
        return self._table.routes_for(event.name, kind=event.state.kind, when=frozenset(when))

    def of_registered(self, event: SubmissionRegistered) -> list[Draft]:
        """The code, to whoever filed it; the SMS waits for the day expected."""
        drafts = []
        for route in self._table.routes_for(event.name, kind=event.kind):
            draft = self._to_citizen(route, event, event.case_id, event.sealed_contact)
            if route.channel == MessageChannel.SMS:
                draft.more["waits_for_case"] = True
            drafts.append(draft)
        return drafts

    def of_identity(self, event: IdentityEvent) -> list[Draft]:
        """Of a request to open an identity: the kind of the case alone. Its id goes along for the conflict of interest."""
        given = isinstance(event, IdentityDecided) and event.open_until is not None
        when = frozenset({"consented" if given else "refused"})
        whom: dict[str, dict[str, Any]] = {
            "custodian": {"role": Role.CUSTODIAN},
            "asker": {"staff_id": event.asked_by},
        }
        key, params = str(event.id), {"kind": event.kind.value}
        return [
            Draft(route, key, event.name, event.occurred_at, event.case_id, params, whom[route.audience])
            for route in self._table.routes_for(event.name, kind=event.kind, when=when)
        ]

    def of_staff_change(self, event: StaffChangeRequested | StaffChangeDecided) -> list[Draft]:
        """Of a change that takes two administrators: who asked, for which account, and what became of it."""
        params = {"account": event.username, "roles": " ".join(event.roles)}
        when = {"reset" if event.action == "reset_credentials" else "granted"}
        if event.asked_by_name is not None:
            params["asker"] = event.asked_by_name
        if isinstance(event, StaffChangeDecided):
            ends = {StaffChangeState.CONFIRMED: "confirmed", StaffChangeState.DENIED: "denied"}
            when = {ends.get(event.state, "dropped") if event.asked_by is not None else "on_server"}
            if event.decided_by_name is not None:
                params["decider"] = event.decided_by_name
        return [
            Draft(route, str(event.id), event.name, event.occurred_at, None, params, {"role": route.audience})
            for route in self._table.routes_for(event.name, when=frozenset(when))
        ]

    def _to_citizen(
        self, route: Route, event: Event, case_id: UUID, sealed_contact: str | None, **params: str
    ) -> Draft:
        draft = Draft(route, str(event.id), event.name, event.occurred_at, case_id, _params(event) | params)
        if route.reply and isinstance(event, CaseDecided):
            draft.more["reply_until"] = event.objection_until
        if isinstance(event, VisitReminded):
            draft.more["expires_at"] = event.starts_at  # what came too late reminds of nothing
        if route.channel == MessageChannel.SMS and sealed_contact is None:
            draft.more |= {"state": MessageState.SKIPPED, "reason": SkipReason.NO_MOBILE}
        return draft

    def _to_mentioned(self, route: Route, event: TrackedEvent) -> list[Draft]:
        """One for each of those whom the event names."""
        names = event.mentions if isinstance(event, NoteAdded) else []
        if isinstance(event, CaseReminded):
            names = [event.staff]
        params = {**_params(event), "number": event.state.number}
        return [
            Draft(
                route,
                f"{event.id}:{staff_id}",
                event.name,
                event.occurred_at,
                event.case_id,
                params,
                {"staff_id": staff_id},
            )
            for staff_id in names
        ]

    def _to_staff(self, route: Route, event: TrackedEvent) -> Draft | None:
        draft = Draft(
            route,
            str(event.id),
            event.name,
            event.occurred_at,
            event.case_id,
            {**_params(event), "number": event.state.number},
        )
        if route.audience == "inspector":
            if event.state.handler is None:
                return None
            draft.more["staff_id"] = event.state.handler
        elif route.audience in (Role.HEAD, Role.SCREENER):
            draft.more["role"] = route.audience
        elif route.audience == "mayor":
            # The number and the day, and no more: whoever speaks for the mayor's office does not read cases.
            if not isinstance(event, CaseEscalated) or event.to_unit is None:
                return None
            draft.case_id = None
            draft.more |= {"role": Role.LIAISON, "unit": event.to_unit}
        elif (unit := _unit_of(event)) is not None:
            # A liaison learns of the question alone: neither the case nor its number goes with it.
            draft.case_id = None
            draft.params = _params(event)
            draft.more |= {"role": Role.LIAISON, "unit": unit}
        else:
            return None
        return draft


class Notify(Telling):
    """The use cases of what other services say. Each takes messages of one queue, within one transaction."""

    def __init__(self, settings: Settings, clock: Clock = now, words: Table | None = None) -> None:
        super().__init__(words)
        self._clock = clock

    # --- intake ---

    def registered(self, connection: Connection, events: Sequence[SubmissionRegistered]) -> None:
        """Notes how each citizen is reached, and tells them their code.

        The SMS waits a moment for the expected date, which tracking says when it opens the case.
        """
        seen = inbox.unseen(connection, "contacts", sorted(events, key=lambda event: event.case_id))
        gone = store.erased(connection, [event.case_id for event in seen]) if seen else set()
        # An old message that came again: that citizen is known no longer.
        fresh = [event for event in seen if event.case_id not in gone]
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
        drafts = [draft for event in fresh for draft in self.of_registered(event)]
        anonymous = [event.case_id for event in fresh if event.anonymous]
        keep_drafts(connection, drafts, self._clock(), quiet_cases=anonymous)

    def recoded(self, connection: Connection, event: SubmissionRecoded) -> bool:
        """Tells the code that replaces the first one; False when the submission itself is not known yet."""
        if store.erased(connection, [event.case_id]):
            return True
        contact = store.recode_contact(connection, event.case_id, event.code_hash, event.sealed_contact)
        if contact is None:
            return False
        if not inbox.first_time(connection, "contacts", event.id):
            return True
        moment = self._clock()
        superseded = store.supersede(connection, event.case_id, "registered")
        outbox.add(connection, *(ended(row, row.state, row.reason, moment) for row in superseded))
        drafts = [
            self._to_citizen(route, event, event.case_id, contact.sealed_contact, kind=contact.kind)
            for route in self._table.routes_for(event.name, kind=contact.kind)
        ]
        keep_drafts(connection, drafts, moment)
        return True

    def catalogue(self, connection: Connection, event: CatalogueChanged) -> None:
        """Keeps who is above whom among the units, and what the reasons for refusing are called."""
        tree = [(unit.code, unit.parent) for unit in event.catalogue.units]
        if store.keep_units(connection, event.catalogue.version, tree):
            named = event.catalogue.refusal_reasons
            store.keep_reasons(connection, [{"code": one.code, "fa": one.name_fa, "en": one.name_en} for one in named])

    # --- accounts ---

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
        """Tells a one-time code; the box stays sealed until it is sent, and is emptied then."""
        if not inbox.first_time(connection, "otp", event.id):
            return
        drafts = [
            Draft(
                route,
                str(event.id),
                event.name,
                event.occurred_at,
                more={"sealed": event.sealed_code, "expires_at": event.expires_at},
            )
            for route in self._table.routes_for(event.name)
        ]
        keep_drafts(connection, drafts, self._clock())

    def sign_in_failures(self, connection: Connection, event: SignInFailuresNoted) -> None:
        """Tells a member of staff that others try to sign in as them."""
        if not inbox.first_time(connection, "sign_ins", event.id):
            return
        whom = {"staff_id": event.staff_id}
        drafts = [
            Draft(route, str(event.id), event.name, event.occurred_at, more=dict(whom))
            for route in self._table.routes_for(event.name)
        ]
        keep_drafts(connection, drafts, self._clock())

    # --- tracking ---

    def case_events(self, connection: Connection, events: Sequence[TrackedEvent]) -> None:
        """Keeps what is known of each case, and tells whom the routing table names."""
        fresh = inbox.unseen(connection, "cases", sorted(events, key=lambda event: (event.case_id, event.sequence)))
        store.keep_cases(connection, list(latest(fresh).values()))
        told = [event for event in fresh if self._routes(event)]
        known = store.contacts_of(connection, [event.case_id for event in told])
        drafts = []
        for event in told:
            contact = known.get(event.case_id)
            # Without a contact yet, the sender waits for it.
            drafts += self.of_case(event, contact.sealed_contact if contact is not None else "")
        anonymous = [event.case_id for event in told if event.state.anonymous]
        keep_drafts(connection, drafts, self._clock(), quiet_cases=anonymous)

    def identity_event(self, connection: Connection, event: IdentityEvent) -> None:
        """Tells custodians that their consent is waited for, and who asked for it what became of that."""
        if inbox.first_time(connection, "identities", event.id):
            keep_drafts(connection, self.of_identity(event), self._clock())

    def staff_change(self, connection: Connection, event: StaffChangeRequested | StaffChangeDecided) -> None:
        """Tells all custodians of a role that opens identities."""
        if inbox.first_time(connection, "staff_changes", event.id):
            keep_drafts(connection, self.of_staff_change(event), self._clock())

    def retention_due(self, connection: Connection, event: RetentionDue) -> None:
        """Forgets who filed a case and how they are reached, when the time of that is over; nothing brings it back."""
        if event.part is not KeptPart.IDENTITY:
            return
        rule = f"{event.state.kind}, {event.rule_outcome or 'any outcome'}: {event.months} months"
        store.note_erasure(connection, event.case_id, rule)
        store.forget_citizen(connection, event.case_id)


def _unit_of(event: TrackedEvent) -> str | None:
    """The unit whose liaison is told."""
    if isinstance(event, CaseDecided):
        return event.recommended_to
    if isinstance(event, UnitAsked | DeadlineWarned | CaseEscalated | RecommendationSettled):
        return event.unit_asked
    return None


def _params(event: Event) -> dict[str, str]:
    """Values of the words that belong to this event: codes and ISO dates, written out by the reader's language."""
    params: dict[str, str] = {}
    if isinstance(event, SubmissionRegistered):
        params["kind"] = event.kind
    if isinstance(event, TrackedEvent):
        params["kind"] = event.state.kind
        day: date | None = event.state.expected_on
        if isinstance(event, UnitAsked | DeadlineWarned | CaseEscalated):
            day = event.due_on
        if day is not None:
            params["date"] = day.isoformat()
    if isinstance(event, VisitEvent) and event.starts_at is not None:
        params |= {
            "when": event.starts_at.isoformat(),
            "place_fa": event.place_fa or "",
            "place_en": event.place_en or "",
        }
    if isinstance(event, CaseDecided | JoinedCaseDecided):
        params["outcome"] = event.outcome
    if isinstance(event, CaseRefused | JoinedCaseRefused):
        called = {"reason_fa": event.reason_fa, "reason_en": event.reason_en}
        params |= {"reason": event.reason, **{name: told for name, told in called.items() if told}}
    return params


def latest(events: Sequence[TrackedEvent]) -> dict[UUID, dict[str, Any]]:
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
