"""What a citizen answers by SMS: to a decision, or that a case which was closed without their answer shall go on."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from backbone.messaging import inbox
from backbone.messaging.consumers import TryLater
from contracts.errors import WrongStage
from contracts.gateway import Actor
from contracts.notify import CitizenReplied, Reply
from contracts.tracking import CitizenCommand, RaiseObjection, Rate, ReplyRefused
from contracts.vocabulary import ActorKind, Language, Stage
from services.tracking.case import store, views
from services.tracking.case.context import Contexts
from services.tracking.case.lifecycle import Case, Change, Context
from services.tracking.case.record import Recorder
from services.tracking.case.transitions import change_of
from services.tracking.inquiry import rules as inquiry
from services.tracking.reference.catalogue import CatalogueCopy
from services.tracking.rules import COMMANDS
from texts.loading import area

BY_SMS = Actor(kind=ActorKind.BEARER, id="sms")
SATISFIED_SCORE = 5

Reason = Literal["late", "known", "final", "no_effect"]


class SmsReplies:
    """The use case of an answer that notify hands on; the event that it leads to says what became of it."""

    def __init__(self, catalogue: CatalogueCopy, contexts: Contexts, recorder: Recorder) -> None:
        self._catalogue, self._contexts, self._recorder = catalogue, contexts, recorder

    def take(self, connection: Connection, event: CitizenReplied) -> None:
        """1 rates, 2 objects, each as long as it is possible; what has no effect is noted, and its citizen told why."""
        case = store.lock(connection, event.case_id)
        if case is None:
            raise TryLater("the case is not open yet")
        if not inbox.first_time(connection, "tracking.replies", event.id):
            return
        context = self._contexts.of(connection, BY_SMS, case)
        self._recorder.record(connection, judged(case, event, context), BY_SMS, context.now)

    def take_at_once(self, connection: Connection, event: CitizenReplied) -> bool:
        """The same in two statements without a lock, each a transaction: one reads, one writes. False, and nothing is written,
        when the event was handled before, the case is not open yet or was changed meanwhile, its visit ends with it, or it goes
        on after it was closed as unanswered."""
        city = self._catalogue.last_read
        command = _command_of(event.reply)
        read = views.read_for_reply(connection, event.case_id) if city is not None and command is not None else None
        if city is None or command is None or read is None or not self._catalogue.is_newest(read["catalogue"] or 0):
            return False
        case = views.case_of_parts(read)
        context = self._contexts.for_reading(read, case, command, BY_SMS, city)
        change = judged(case, event, context)
        if not self._recorder.adds_nothing(read, change):
            return False
        recording = self._recorder.prepare(change, BY_SMS, context.now, read["entries"] or [])
        try:
            handled = inbox.recording("tracking.replies", [event])
            return recording.save_unless_changed(connection, read["row_version"], handled)
        except IntegrityError:
            return False


def _command_of(reply: Reply) -> CitizenCommand | None:
    """The citizen's command that an answer is; None for the word that reopens a case, which is none."""
    if reply is Reply.RESUME:
        return None
    objection = area("cases").text(Language.FA, "objection_by_sms")  # for staff, who read Persian
    return Rate(score=SATISFIED_SCORE) if reply is Reply.SATISFIED else RaiseObjection(text=objection)


def judged(case: Case, event: CitizenReplied, context: Context) -> Change:
    """What an answer does to the case, or why it does nothing; its event has the id of the answer."""
    command = _command_of(event.reply)
    try:
        if command is None:
            return settled(inquiry.resume(case, context), event)
        return settled(COMMANDS.act_as_citizen(case, command, context), event)
    except WrongStage:
        return refused(case, event, context)


def settled(change: Change, event: CitizenReplied) -> Change:
    """The change with the id of the answer in its event, by which notify confirms it."""
    entries = [
        replace(entry, fields={**entry.fields, "reply_id": event.id})
        if "reply_id" in entry.event.model_fields
        else entry
        for entry in change.entries
    ]
    return replace(change, entries=entries)


def refused(case: Case, event: CitizenReplied, context: Context) -> Change:
    """An entry of the office's own timeline that changes nothing."""
    reason = why_without_effect(case, event.reply, context)
    details = {"reply": event.reply, "reason": reason}
    fields = {**details, "reply_id": event.id}
    return change_of(case, case, "noted", ReplyRefused, details=details, fields=fields)


def why_without_effect(case: Case, reply: Reply, context: Context) -> Reason:
    """Why this answer cannot take effect."""
    if reply is Reply.OBJECT and case.stage is Stage.REVIEW:
        return "known"
    if reply is Reply.OBJECT and case.final and case.stage in (Stage.DECIDED, Stage.CLOSED):
        return "final"
    if case.outcome is not None and case.stage in (Stage.DECIDED, Stage.CLOSED) and reply is not Reply.RESUME:
        return "late"
    return "no_effect"
