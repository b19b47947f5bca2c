"""Faults that the simulator injects on demand: `POST /_control/faults`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from . import rules

Mode = Literal["fail", "delay", "lose", "credit", "busy", "timeout"]
SENDING = ("sms/send", "sms/sendarray", "verify/lookup")


class Fault(BaseModel):
    """`count` calls meet it (0: all, until reset).

    fail     answers `status` (402 unless given) and sends nothing; 5xx are answered without an envelope
    credit   answers 418 · busy answers 409
    delay    accepts, and answers after `seconds`
    timeout  accepts, and withholds its answer for `seconds`: the caller cannot know
    lose     accepts, and the handset never gets it; it ends at `status` (11 unless given; 4: no further status)
    """

    model_config = ConfigDict(extra="forbid")

    mode: Mode
    count: int = Field(default=1, ge=0)
    status: int | None = None
    seconds: float = Field(default=30, ge=0, le=600)
    methods: tuple[str, ...] = SENDING

    @property
    def refusal(self) -> int | None:
        return {"fail": self.status or 402, "credit": 418, "busy": 409}.get(self.mode)

    @property
    def ending(self) -> int:
        return (self.status or rules.UNDELIVERED) if self.mode == "lose" else rules.DELIVERED

    @property
    def pause(self) -> float:
        return self.seconds if self.mode in ("delay", "timeout") else 0.0


class Faults:
    """In the order in which they were added."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, int]] = []

    def add(self, fault: Fault) -> None:
        self._waiting.append((fault, fault.count))

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        for index, (fault, left) in enumerate(self._waiting):
            if method not in fault.methods:
                continue
            if left == 1:
                del self._waiting[index]
            elif left > 1:
                self._waiting[index] = (fault, left - 1)
            return fault
        return None

    def listed(self) -> list[dict[str, object]]:
        return [{**fault.model_dump(), "left": left} for fault, left in self._waiting]
