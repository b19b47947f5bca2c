"""An SMS provider of another kind than Kavenegar, in memory: recognises no repeated call, has no templates, and pushes inbound
texts and delivery receipts as JSON under names of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from contracts.gateway import PushKind, SmsPush
from services.notify.providers.protocol import (
    Accepted,
    Capabilities,
    DeliveryReceipt,
    DeliveryStatus,
    InboundText,
    MalformedPush,
    ProviderError,
    ProviderSettings,
    SmsProvider,
)

NAME = "second"
CAPABILITIES = Capabilities(pushes=frozenset(PushKind))


@dataclass
class SecondProvider:
    """`failures` are raised by the next calls, after the message was accepted."""

    account: str
    name: str = NAME
    capabilities: Capabilities = CAPABILITIES
    sent: list[tuple[str, str]] = field(default_factory=list)
    failures: list[ProviderError] = field(default_factory=list)

    def send(self, text: str, recipient: str, client_reference: str) -> Accepted:
        self.sent.append((recipient, text))
        if self.failures:
            raise self.failures.pop(0)
        return Accepted(f"{self.account}-{len(self.sent)}", DeliveryStatus.QUEUED)

    def send_template(self, template: str, tokens: Mapping[str, str], recipient: str) -> Accepted:
        raise AssertionError("it has no templates, as its capabilities say")

    def statuses(self, message_ids: Sequence[str]) -> dict[str, DeliveryStatus]:
        raise AssertionError("it cannot be asked, as its capabilities say")

    def parse_push(self, push: SmsPush) -> Sequence[DeliveryReceipt | InboundText]:
        try:
            content = json.loads(push.body)
            if push.kind is PushKind.INBOUND:
                return [InboundText(content["phone"], content["words"], content["ref"])]
            return [DeliveryReceipt(content["ref"], DeliveryStatus(content["outcome"]))]
        except (ValueError, KeyError):
            raise MalformedPush(cause="not as the second provider pushes") from None


class SecondProviderSettings(ProviderSettings):
    second_account: str

    made: ClassVar[list[SecondProvider]] = []

    def accounts(self) -> Sequence[SmsProvider]:
        provider = SecondProvider(self.second_account)
        self.made.append(provider)
        return [provider]
