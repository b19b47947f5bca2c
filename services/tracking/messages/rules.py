"""What the citizen writes without having been asked; and what they wrote or sent, corrected or taken back within the time for it.
Pure.

A message, a file and what was filed are correctable for `CitizenLimits.correction` from the moment they were sent, by the
service's clock, while the case is open; what was filed no longer than until the first reading begins. Only what the citizen is
shown ends it: an act of the office's own never does, since its effect would reveal it.

Nothing is lost. What it said before is in the timeline. Of a message or file taken back the office goes on seeing what somebody
of the staff may have read already (`was_read`), marked; of anything else it sees that it was taken back, and no more. The citizen
is answered alike either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.errors import EvidenceFull, MessagesFull, TooLate
from contracts.tracking import (
    CitizenCorrected,
    CorrectFiled,
    CorrectMessage,
    EvidenceAdded,
    MessageSent,
    SendMessage,
    WithdrawEvidence,
    WithdrawMessage,
)
from contracts.vocabulary import OPEN_STAGES, Stage
from services.tracking.case.lifecycle import Case, Change, Context, Effect, TimelineEntry
from services.tracking.case.transitions import BY_CITIZEN, CommandRule, Hindrance, change_of, staying_in, wrong
from services.tracking.evidence.rules import EVIDENCE_MOST, attached

SENT, CORRECTED, WITHDRAWN = "message_sent", "message_corrected", "message_withdrawn"
FILED_CORRECTED, EVIDENCE_WITHDRAWN = "filed_corrected", "evidence_withdrawn"
_BEGINNING = 60
"""Of a message, by which its citizen knows it."""
FILED_CORRECTIONS_MOST = 20
"""How often what was filed may be corrected."""


@dataclass(frozen=True)
class CitizenLimits:
    """`messages`: how many messages one case takes, each correction counted as one; `characters`: of them together; `correction`:
    how long what was sent may be corrected or taken back."""

    messages: int = 50
    characters: int = 100_000
    correction: timedelta = timedelta(hours=1)

    def until(self, case: Case, sent_at: datetime) -> datetime | None:
        """Till when what was sent at this moment may be corrected or taken back; None when the case is not open."""
        return sent_at + self.correction if self.correction and case.stage in OPEN_STAGES else None

    def filed_until(self, case: Case) -> datetime | None:
        """The same of what was filed; None once the first reading has begun."""
        return self.until(case, case.filed_at) if case.stage is Stage.REGISTERED else None

    def messages_left(self, case: Case, written: Written) -> int:
        """How many more messages its citizen may write now."""
        if case.stage not in OPEN_STAGES or written.characters >= self.characters:
            return 0
        return max(0, self.messages - written.count)


@dataclass(frozen=True)
class Message:
    """A message as it is now. `text` None: it was taken back."""

    sent_at: datetime
    text: str | None
    uploads: tuple[str, ...] = ()
    corrected_at: datetime | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True)
class Written:
    """All messages of a case by id; `count` and `characters`: of them and of their corrections."""

    messages: Mapping[str, Message] = field(default_factory=dict)
    count: int = 0
    characters: int = 0


@dataclass(frozen=True)
class MessageFacts:
    """`media`, `sent`, `withdrawn`: as in EvidenceFacts. `was_read`: some of the staff may have read the case since the
    message was sent."""

    limits: CitizenLimits = CitizenLimits()
    written: Written = Written()
    media: frozenset[str] = frozenset()
    sent: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    was_read: bool = False


@dataclass(frozen=True)
class FiledFacts:
    """What was filed, as it reads now; `corrections`: how often it was corrected."""

    limits: CitizenLimits = CitizenLimits()
    text: str = ""
    place: Mapping[str, Any] | None = None
    corrections: int = 0


@dataclass(frozen=True)
class SentFile:
    """A file that the citizen sent, when, and whether they took it back."""

    sent_at: datetime
    withdrawn: bool


@dataclass(frozen=True)
class SentFiles:
    """All files that the citizen sent, by id; `names`: what each is called."""

    limits: CitizenLimits = CitizenLimits()
    files: Mapping[str, SentFile] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SentFileFacts:
    """`file` None: there is no such file of the citizen's. `was_read`: some of the staff may have seen it."""

    limits: CitizenLimits = CitizenLimits()
    file: SentFile | None = None
    was_read: bool = False


@dataclass(frozen=True)
class FileWithdrawn(Effect):
    """The citizen took a file back. `withheld`: nobody is shown it any more."""

    media_id: str
    withheld: bool


def written_of(lines: Iterable[Mapping[str, Any]]) -> Written:
    """The messages in these lines of a timeline (`entry`, `at`, `details`), in their order."""
    messages: dict[str, Message] = {}
    count = characters = 0
    for line in lines:
        entry, details = line["entry"], line["details"]
        if entry not in (SENT, CORRECTED, WITHDRAWN):
            continue
        message_id, at = str(details["message_id"]), _moment(line["at"])
        text = details.get("text")
        if entry == SENT:
            messages[message_id] = Message(at, text, tuple(details.get("uploads") or ()))
        elif message_id in messages:
            earlier = messages[message_id]
            corrected_at = at if entry == CORRECTED else earlier.corrected_at
            withdrawn_at = at if entry == WITHDRAWN else None
            messages[message_id] = Message(
                earlier.sent_at, text if entry == CORRECTED else None, earlier.uploads, corrected_at, withdrawn_at
            )
        if entry != WITHDRAWN:
            count, characters = count + 1, characters + len(text or "")
    return Written(messages, count, characters)


def unread_when_withdrawn(lines: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Of these lines the messages, by id, that were taken back before anybody of the staff had read them."""
    return frozenset(
        str(line["details"]["message_id"])
        for line in lines
        if line["entry"] == WITHDRAWN and not line["details"].get("was_read", True)
    )


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _send_message(case: Case, command: SendMessage, context: Context) -> Change:
    facts = context.loaded(MessageFacts)
    _require_room(facts, len(command.text))
    there = facts.media | facts.withdrawn
    uploads = tuple(dict.fromkeys(upload for upload in command.uploads if upload not in there))
    if len(facts.sent) + len(uploads) > EVIDENCE_MOST:
        raise EvidenceFull(limit=EVIDENCE_MOST)
    message_id = context.new_id
    details: dict[str, Any] = {"message_id": str(message_id), "text": command.text, "uploads": list(uploads)}
    entries = [TimelineEntry(SENT, case, MessageSent, details, {"message_id": message_id})]
    if uploads:
        named = {"uploads": list(uploads)}
        fields = {**named, "by_citizen": True, "with_message": True}
        entries.append(TimelineEntry("evidence_sent", case, EvidenceAdded, named, fields))
    return Change(case, entries, attached(uploads))


def _correct_message(case: Case, command: CorrectMessage, context: Context) -> Change:
    facts = context.loaded(MessageFacts)
    message = _correctable(case, facts, command.message_id, context)
    if command.text == message.text:
        return Change(case)
    _require_room(facts, len(command.text))
    details = {"message_id": str(command.message_id), "text": command.text}
    return change_of(case, case, CORRECTED, CitizenCorrected, details=details, fields={"what": "message"})


def _withdraw_message(case: Case, command: WithdrawMessage, context: Context) -> Change:
    facts = context.loaded(MessageFacts)
    message = facts.written.messages.get(str(command.message_id))
    if message is not None and message.withdrawn_at is not None:
        return Change(case)  # taken back before
    _correctable(case, facts, command.message_id, context)
    details = {"message_id": str(command.message_id), "was_read": facts.was_read}
    return change_of(case, case, WITHDRAWN, CitizenCorrected, details=details, fields={"what": "message_withdrawn"})


def _correctable(case: Case, facts: MessageFacts, message_id: UUID, context: Context) -> Message:
    message = facts.written.messages.get(str(message_id))
    if message is None:
        raise wrong("message_id", "unknown_message")
    _require_time(facts.limits.until(case, message.sent_at), context)
    if message.withdrawn_at is not None:
        raise TooLate(until=message.withdrawn_at.isoformat())
    return message


def _require_room(facts: MessageFacts, characters: int) -> None:
    limits, written = facts.limits, facts.written
    if written.count >= limits.messages or written.characters + characters > limits.characters:
        raise _full(limits.messages, limits)


def _full(most: int, limits: CitizenLimits) -> MessagesFull:
    return MessagesFull(limit=most, characters=limits.characters)


def _require_time(until: datetime | None, context: Context) -> None:
    if not _is_in_time(until, context):
        raise TooLate(until=until.isoformat() if until else None)


def _correct_filed(case: Case, command: CorrectFiled, context: Context) -> Change:
    facts = context.loaded(FiledFacts)
    if command.text is None and command.place is None:
        raise wrong("body", "changes_nothing")
    former: dict[str, Any] = {}
    if command.text is not None and command.text != facts.text:
        former["former_text"] = facts.text
    if command.place is not None and command.place.model_dump(mode="json") != facts.place:
        former["former_place"] = facts.place
    if not former:
        return Change(case)
    if facts.corrections >= FILED_CORRECTIONS_MOST:
        raise _full(FILED_CORRECTIONS_MOST, facts.limits)
    return change_of(case, case, FILED_CORRECTED, CitizenCorrected, details=former, fields={"what": "filed"})


def _withdraw_evidence(case: Case, command: WithdrawEvidence, context: Context) -> Change:
    facts = context.loaded(SentFileFacts)
    if facts.file is None:
        raise wrong("media_id", "unknown_file")
    if facts.file.withdrawn:
        return Change(case)
    _require_time(facts.limits.until(case, facts.file.sent_at), context)
    details = {"media_id": command.media_id, "was_read": facts.was_read}
    effect = FileWithdrawn(command.media_id, withheld=not facts.was_read)
    fields = {"what": "evidence_withdrawn"}
    return change_of(case, case, EVIDENCE_WITHDRAWN, CitizenCorrected, effect, details=details, fields=fields)


def _has_room(case: Case, context: Context) -> Hindrance | None:
    facts = context.loaded(MessageFacts)
    if facts.limits.messages_left(case, facts.written):
        return None
    return Hindrance("too_late", "messages_full", _full(facts.limits.messages, facts.limits))


def _may_correct_filed(case: Case, context: Context) -> Hindrance | None:
    facts = context.loaded(FiledFacts)
    until = facts.limits.filed_until(case)
    if until is None or context.now >= until:
        return Hindrance("too_late", "deadline_passed", TooLate(until=until.isoformat() if until else None))
    return None


def _correctable_messages(case: Case, context: Context) -> dict[str, str]:
    """Those that may be corrected or taken back now, and how they begin."""
    facts = context.loaded(MessageFacts)
    return {
        message_id: message.text[:_BEGINNING]
        for message_id, message in facts.written.messages.items()
        if message.text is not None and _is_in_time(facts.limits.until(case, message.sent_at), context)
    }


def _withdrawable_files(case: Case, context: Context) -> dict[str, str]:
    """Those that may be taken back now, and how they are called."""
    facts = context.loaded(SentFiles)
    return {
        media_id: facts.names[media_id]
        for media_id, file in facts.files.items()
        if not file.withdrawn and _is_in_time(facts.limits.until(case, file.sent_at), context)
    }


def _is_in_time(until: datetime | None, context: Context) -> bool:
    return until is not None and context.now < until


_OPEN = staying_in(*OPEN_STAGES)
_MESSAGES = {"message_id": _correctable_messages}
COMMANDS = (
    CommandRule(SendMessage, _OPEN, BY_CITIZEN, _send_message, guard=_has_room),
    CommandRule(CorrectMessage, _OPEN, BY_CITIZEN, _correct_message, choices=_MESSAGES),
    CommandRule(WithdrawMessage, _OPEN, BY_CITIZEN, _withdraw_message, choices=_MESSAGES),
    CommandRule(CorrectFiled, _OPEN, BY_CITIZEN, _correct_filed, guard=_may_correct_filed),
    CommandRule(WithdrawEvidence, _OPEN, BY_CITIZEN, _withdraw_evidence, choices={"media_id": _withdrawable_files}),
)
