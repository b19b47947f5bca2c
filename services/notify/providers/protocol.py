"""The interface of an SMS provider (docs/how-to/add-an-sms-provider.md).

A provider's refusal is one of three errors:

    ProviderError
    ├── Retry         later, at the same provider: busy, too many calls, not reached, no answer in time
    ├── NextProvider  another provider may send it: no credit, key, address or line refused
    └── GiveUp        no provider will: a bad number, an empty or forbidden text
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.errors import Invalid
from contracts.gateway import PushKind, SmsPush


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    BLOCKED = "blocked"  # the recipient has opted out of such messages at the operator
    FAILED = "failed"
    UNKNOWN = "unknown"


FINAL = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED, DeliveryStatus.BLOCKED, DeliveryStatus.FAILED})


class ProviderError(Exception):
    """`reason`: a short stable word for tables and logs. `ambiguous`: the provider may have accepted the message."""

    def __init__(self, reason: str, *, ambiguous: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ambiguous = ambiguous


class Retry(ProviderError):
    """Later, at the same provider."""


class NextProvider(ProviderError):
    """`unavailable`: this provider can send nothing for now, and is not called for a while; else it is only this message that
    it does not take."""

    def __init__(self, reason: str, *, unavailable: bool = True) -> None:
        super().__init__(reason)
        self.unavailable = unavailable


class GiveUp(ProviderError):
    """No provider will send it."""


class MalformedPush(Invalid):
    """A push without what its kind has to hold; it goes to the dead letters at once. `cause` quotes nothing of the push."""

    code = "malformed_push"


@dataclass(frozen=True)
class Accepted:
    """`message_id`: the provider's."""

    message_id: str
    status: DeliveryStatus


@dataclass(frozen=True)
class DeliveryReceipt:
    """What became of a message. `message_id`: the provider's."""

    message_id: str
    status: DeliveryStatus


@dataclass(frozen=True)
class InboundText:
    """A text that a handset sent to the office's number. `sender` as the provider writes it; `message_id`: None when the
    provider gives none."""

    sender: str
    text: str
    message_id: str | None = None


@dataclass(frozen=True)
class UnreadableItem:
    """One item of a batch that lacks what its kind has to hold. `cause` quotes nothing of it."""

    cause: str


PushItem = DeliveryReceipt | InboundText | UnreadableItem


@dataclass(frozen=True)
class Capabilities:
    """What a provider's API can do.

    `deduplicates`: a repeated call with the same client reference sends nothing twice; without it, a message whose answer was
    lost is not sent again. `templates`: sends approved texts by `send_template`. `status_batch`: ids in one call of `statuses`;
    0: it cannot be asked. `pushes`: what it pushes to its webhook.
    """

    deduplicates: bool = False
    templates: bool = False
    status_batch: int = 0
    pushes: frozenset[PushKind] = frozenset()


class SmsProvider(Protocol):
    """One account at a provider. `name` is stored with each message: the name in the registry, for a further account with a dash
    and its own name after it (kavenegar-reserve)."""

    name: str
    capabilities: Capabilities

    def send(self, text: str, recipient: str, client_reference: str) -> Accepted:
        """Sends one SMS. `recipient` is E.164; `client_reference`: the same for every attempt of a message, 63 bits as
        decimal digits. Raises ProviderError."""

    def send_template(self, template: str, tokens: Mapping[str, str], recipient: str) -> Accepted:
        """Sends a text that the provider has approved; a repeated call sends it again. Raises ProviderError."""

    def statuses(self, message_ids: Sequence[str]) -> dict[str, DeliveryStatus]:
        """At most `capabilities.status_batch` ids. Raises ProviderError."""

    def parse_push(self, push: SmsPush) -> Sequence[PushItem]:
        """What each item of a push says, as it came to the webhook (pushes.read_items). Raises MalformedPush when nothing of
        it can be read."""


class ProviderSettings(BaseSettings):
    """A provider's own settings, from the environment, and the accounts they configure, in the order in which they are tried."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    @abstractmethod
    def accounts(self) -> Sequence[SmsProvider]:
        """One provider object for each account."""
