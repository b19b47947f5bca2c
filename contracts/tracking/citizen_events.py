"""What tracking publishes of what the citizen writes, corrects and takes back."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from contracts.tracking.events import TrackedEvent


class MessageSent(TrackedEvent):
    """The citizen wrote without having been asked. What they wrote does not travel."""

    name: ClassVar[str] = "case.message_sent.v1"
    message_id: UUID


class CitizenCorrected(TrackedEvent):
    """The citizen corrected what they had filed or a message, or took back a message or a file, within the time for it. What
    it says now does not travel, nor what it said before."""

    name: ClassVar[str] = "case.citizen_corrected.v1"
    what: Literal["filed", "message", "message_withdrawn", "evidence_withdrawn"]
