"""What an inbound text turned out to be: events of notify's own, to which the registry has the answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Literal

from contracts.vocabulary import Outcome, Stage


@dataclass(frozen=True)
class InboundEvent:
    """`id`: the provider and its id of the text. `sealed_contact`: the handset that is answered, sealed to notify."""

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


@dataclass(frozen=True)
class ReplyReceived(InboundEvent):
    """A 1 or 2 after a question. `object`: tracking registers the objection, and confirms it."""

    name: ClassVar[str] = "sms.replied"

    result: Literal["satisfied", "object", "object_late"]


@dataclass(frozen=True)
class TextNotUnderstood(InboundEvent):
    name: ClassVar[str] = "sms.not_understood"
