"""Opens what providers push, parses it with the provider's module, and hands on receipts and inbound texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from backbone import sealing
from backbone.process import logs
from backbone.process.settings import secrets
from backbone.storage.database import is_outage
from contracts.gateway import ReceiveSmsPush, SmsPush
from services.notify.clock import Clock
from services.notify.delivery.receipts import DeliveryReceipts
from services.notify.inbound.use_cases import InboundTexts
from services.notify.providers import provider_of
from services.notify.providers.protocol import (
    DeliveryReceipt,
    MalformedPush,
    PushItem,
    SmsProvider,
    UnreadableItem,
)
from services.notify.settings import Settings

log = logs.get("pushes")

_RECEIPT_WAIT = timedelta(minutes=1)
"""For how long a receipt of an unknown message may be quicker than the settling of its attempt."""


@dataclass(frozen=True)
class ReceivedPush:
    """What became of a push. `complete`: False when a receipt's message is not known yet, and the push is to be tried again;
    `error`: of an item that could not be handled, raised once all others are stored."""

    complete: bool
    error: Exception | None = None


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

    def receive(self, connection: Connection, command: ReceiveSmsPush) -> ReceivedPush:
        """Applies a push, each of its items on its own; what of it was applied before changes nothing. MalformedPush and
        CannotOpen go to the dead letters, from where the push can be replayed."""
        provider = self._providers.get(command.provider)
        push = sealing.unseal(command.sealed_push, SmsPush, self._private_keys)
        try:
            if provider is None:
                raise MalformedPush(cause="of a provider that is not configured")
            if push.kind not in provider.capabilities.pushes:
                raise MalformedPush(cause=f"of the kind {push.kind}, which the provider does not push")
            items = provider.parse_push(push)
        except MalformedPush as error:
            log.error("a push could not be read", provider=command.provider, **error.params)
            raise
        complete, failure = True, None
        for item in items:
            try:
                with connection.begin_nested():
                    complete &= self._apply(connection, command, item)
            except Exception as error:
                if isinstance(error, DBAPIError) and is_outage(error):
                    raise
                details = error.params if isinstance(error, MalformedPush) else {"error": logs.describe(error)}
                log.error("an item of a push could not be handled", provider=command.provider, **details)
                # One that may yet succeed decides: the push is tried again before it goes to the dead letters.
                failure = error if failure is None or isinstance(failure, MalformedPush) else failure
        late = self._clock() - command.received_at > _RECEIPT_WAIT
        return ReceivedPush(complete or late, failure)

    def _apply(self, connection: Connection, command: ReceiveSmsPush, item: PushItem) -> bool:
        """False when it is a receipt whose message is not known yet."""
        if isinstance(item, UnreadableItem):
            raise MalformedPush(cause=item.cause)
        if isinstance(item, DeliveryReceipt):
            return self._receipts.receive(connection, command.provider, item)
        self._texts.receive(connection, command.provider, item, command.received_at)
        return True
