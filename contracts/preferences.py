"""How a person wants to be told: channel, language, quiet hours."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contracts.base import Answer, Contract, KeyedHash, Request
from contracts.gateway import Actor
from contracts.vocabulary import Language

ClockTime = Annotated[str, Field(pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$", description="of Tehran, such as 22:30")]


class PreferredChannel(StrEnum):
    """Over what a person is told beside the inbox. BOTH: by SMS where a mobile is known, and on every device that was subscribed;
    NONE: neither, but for what the office owes them (DOMAIN, What is filed): code, question, result."""

    BOTH = "both"
    SMS = "sms"
    PUSH = "push"
    NONE = "none"


class QuietTimes(Contract):
    """From one time of the day to another, over midnight where `until` is the earlier; the same twice: none at all."""

    start: ClockTime
    until: ClockTime


class ShowPreferences(Request):
    """RPC notify.show_preferences → Preferences. One's own as a signed-in person, or, by `code_hashes`, those of a code's case.
    StillRegistering before that is there."""

    actor: Actor
    code_hashes: list[KeyedHash] = []


class ChangePreferences(Request):
    """RPC notify.change_preferences → Preferences. The whole of them. `language` None: in which it was filed; `quiet` None: the
    office's quiet hours. For a code's case they go before those of an account that has it."""

    actor: Actor
    code_hashes: list[KeyedHash] = []
    channel: PreferredChannel
    language: Language | None = None
    quiet: QuietTimes | None = None


class Preferences(Answer):
    """`office_quiet`: the office's quiet hours, None where it has none. `chosen`: False while nobody has chosen anything, and all
    is as the office sends it."""

    channel: PreferredChannel
    language: Language | None = None
    quiet: QuietTimes | None = None
    office_quiet: QuietTimes | None = None
    chosen: bool
