"""What an inbound text turned out to be: events of notify's own, to which the registry has the answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Literal

from contracts.vocabulary import Outcome, Stage


@dataclass(frozen=True)
class InboundEvent:
    """`id`: the provider and its id of the text. `sealed_contact`: the handset that is answered, sealed to notify, with the
    codes that the answer names the last digits of."""

    id: str
    occurred_at: datetime
    sealed_contact: str
    mobile_hash: str
    language: str


@dataclass(frozen=True)
class CodeReceived(InboundEvent):
    """A text with a tracking code. `result`: known (stage, and the expected day when there is one); decided (outcome);
    registering (no such case yet); bad_code."""

    name: ClassVar[str] = "sms.code_sent"

    result: Literal["known", "decided", "registering", "bad_code"]
    stage: Stage | None = None
    outcome: Outcome | None = None
    expected_on: date | None = None


ReplyResult = Literal[
    "satisfied",
    "object",
    "resume",
    "known",
    "rating_late",
    "object_late",
    "object_known",
    "object_final",
    "no_effect",
    "which",
    "which_code",
    "unclear",
    "no_decision",
]
"""What became of an answer to a decision.

satisfied, object, resume: it took effect. known: it had been given before. rating_late, object_late, object_known, object_final,
no_effect: it could not take effect, and why. which: several decisions wait, and the answer named none of them; which_code: the
last digits that it named are those of several; unclear: it is not known what was answered; no_decision: none waits that has the
digits it named."""


@dataclass(frozen=True)
class ReplyReceived(InboundEvent):
    """An answer to a decision."""

    name: ClassVar[str] = "sms.replied"

    result: ReplyResult


@dataclass(frozen=True)
class TextNotUnderstood(InboundEvent):
    name: ClassVar[str] = "sms.not_understood"
