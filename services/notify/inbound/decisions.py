"""The decisions that a handset was asked about, and which of them an answer is for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from contracts.notify import Reply
from contracts.vocabulary import Stage
from services.notify.inbound.events import ReplyResult
from services.notify.inbound.meanings import ReplySent
from services.notify.wording.values import ENDING_DIGITS

_YEARS = range(1300, 1500)


@dataclass(frozen=True)
class Decision:
    """A case whose citizen was asked for an answer: to its decision, or (`resumable`) whether it shall go on although they were
    silent. `code`: its tracking code. `reply`: what was answered to it last; `stage`: None while nothing is known of the case;
    `object_until`, `rate_until`: the last days for it. `message_id`: the message that asked; None when this handset was not
    asked, and has the code."""

    case_id: UUID
    code: str
    message_id: UUID | None = None
    reply: str | None = None
    stage: Stage | None = None
    object_until: date | None = None
    rate_until: date | None = None
    resumable: bool = False

    @property
    def ending(self) -> str:
        return self.code[-ENDING_DIGITS:]

    def takes(self, reply: Reply, today: date) -> bool:
        """Whether this answer can still take effect, as far as notify knows; tracking decides."""
        in_time = self.object_until is None or today <= self.object_until
        decided = self.stage in (None, Stage.DECIDED)
        if reply is Reply.RESUME:
            return self.resumable and in_time
        if reply is Reply.OBJECT:
            return decided and in_time
        return decided or (self.rate_until is not None and today <= self.rate_until)

    def is_late(self, reply: Reply, today: date) -> bool:
        """Whether the time for this answer is surely over."""
        waits = self.resumable if reply is Reply.RESUME else self.stage in (None, Stage.DECIDED)
        return waits and reply is not Reply.SATISFIED and not self.takes(reply, today)


@dataclass(frozen=True)
class Choice:
    """`decision`: what the answer is for; else `result` says why that is not known, and `among` which it may be for."""

    decision: Decision | None = None
    result: ReplyResult | None = None
    among: Sequence[Decision] = ()


def choose(answer: ReplySent, decisions: Sequence[Decision], today: date) -> Choice:
    """The decision that an answer is for. `decisions`: all that this handset was asked about, the last one first; not empty."""
    if answer.ending is not None:
        matching = [decision for decision in decisions if decision.ending == answer.ending]
        if len(matching) > 1:
            able = [decision for decision in matching if decision.takes(answer.reply, today)]
            return Choice(able[0]) if len(able) == 1 else Choice(result="which_code", among=matching)
        if matching:
            return Choice(matching[0])
        if not (answer.in_sentence and int(answer.ending) in _YEARS):
            open_ones = waiting(decisions, answer.reply, today)
            return Choice(result="which" if open_ones else "no_decision", among=open_ones)
    open_ones = waiting(decisions, answer.reply, today)
    if len(open_ones) > 1:
        return Choice(result="which", among=open_ones)
    return Choice((open_ones or decisions)[0])


def waiting(decisions: Sequence[Decision], reply: Reply | None, today: date) -> Sequence[Decision]:
    """Those that wait for this answer (None: for any). Who was satisfied may still object, so an objection is asked about as long
    as it is possible; that somebody is satisfied counts once, where another decision waits for it."""
    replies = list(Reply) if reply is None else [reply]
    able = [decision for decision in decisions if any(decision.takes(kind, today) for kind in replies)]
    if reply is Reply.SATISFIED:
        return [decision for decision in able if decision.reply != reply] or able
    return able
