"""Opens what providers push, parses it with the provider's module, and hands on receipts and inbound texts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from backbone import sealing
from backbone.process import logs
from backbone.process.settings import secrets
from contracts.gateway import ReceiveSmsPush, SmsPush
from services.notify.clock import Clock
from services.notify.delivery.receipts import DeliveryReceipts
from services.notify.inbound.use_cases import InboundTexts
from services.notify.providers import provider_of
from services.notify.providers.protocol import DeliveryReceipt, MalformedPush, SmsProvider
from services.notify.settings import Settings

log = logs.get("pushes")

_RECEIPT_WAIT = timedelta(minutes=1)
"""For how long a receipt of an unknown message may be quicker than the settling of its attempt."""


class ProviderPushes:
    def __init__(
        self,
        settings: Settings,
        providers: Sequence[SmsProvider],
        receipts: DeliveryReceipts,
        texts: InboundTexts,
        clock: Clock,
    ) -> None:
        self._private_keys = secrets(settings.notify_private_keys)
        # All accounts of a provider push in the same way.
        self._providers = {provider_of(provider.name): provider for provider in reversed(providers)}
        self._receipts = receipts
        self._texts = texts
        self._clock = clock

    def receive(self, connection: Connection, command: ReceiveSmsPush) -> bool:
        """Applies a push; what of it was applied before changes nothing. False when a receipt's message is not known yet, and
        the push is to be tried again. MalformedPush and CannotOpen go to the dead letters, from where it can be replayed."""
        provider = self._providers.get(command.provider)
        push = sealing.unseal(command.sealed_push, SmsPush, self._private_keys)
        try:
            if provider is None:
                raise MalformedPush(cause="of a provider that is not configured")
            if push.kind not in provider.capabilities.pushes:
                raise MalformedPush(cause=f"of the kind {push.kind}, which the provider does not push")
            entries = provider.parse_push(push)
        except MalformedPush as error:
            log.error("a push could not be read", provider=command.provider, **error.params)
            raise
        complete = True
        for entry in entries:
            if isinstance(entry, DeliveryReceipt):
                complete &= self._receipts.receive(connection, command.provider, entry)
            else:
                self._texts.receive(connection, command.provider, entry, command.received_at)
        return complete or self._clock() - command.received_at > _RECEIPT_WAIT
