"""The composition root: makes each shared object of the process once, and gives it to the use cases that need it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.base import now
from services.notify.clock import Clock
from services.notify.delivery.receipts import DeliveryReceipts, StatusPolling
from services.notify.delivery.use_cases import MessageSender
from services.notify.inbound.pushes import ProviderPushes
from services.notify.inbound.settled_replies import SettledReplies
from services.notify.inbound.use_cases import InboundTexts
from services.notify.inbox.use_cases import InboxUseCases
from services.notify.notifications.composer import MessageComposer
from services.notify.notifications.registry import shipped_registry
from services.notify.notifications.use_cases import NotificationUseCases
from services.notify.notifications.validation import check_shipped
from services.notify.providers import configured_accounts
from services.notify.providers.protocol import SmsProvider
from services.notify.settings import Settings
from services.notify.webhooks.http_client import WebhookClient
from services.notify.webhooks.keys import KeyStore
from services.notify.webhooks.sender import WebhookSender
from services.notify.webhooks.use_cases import WebhookUseCases
from services.notify.wording.templates import shipped_templates
from services.notify.wording.use_cases import TextUseCases


@dataclass(frozen=True)
class NotifyApp:
    """The use cases of one process."""

    notifications: NotificationUseCases
    pushes: ProviderPushes
    inbox: InboxUseCases
    texts: TextUseCases
    sender: MessageSender
    polling: StatusPolling
    webhooks: WebhookUseCases
    webhook_sender: WebhookSender


def compose(settings: Settings, providers: Sequence[SmsProvider] | None = None, clock: Clock = now) -> NotifyApp:
    """`providers`: those that the environment configures unless given. InvalidTemplates when texts and registry do not fit."""
    check_shipped()
    registry, templates = shipped_registry(), shipped_templates()
    composer = MessageComposer(registry)
    accounts = configured_accounts(settings.sms_providers) if providers is None else providers
    texts = InboundTexts(settings, composer, clock)
    keys = KeyStore(settings)
    client = WebhookClient(
        settings.notify_webhook_networks, settings.notify_webhook_ports, settings.notify_webhook_timeout
    )
    return NotifyApp(
        notifications=NotificationUseCases(composer, SettledReplies(composer), clock),
        pushes=ProviderPushes(settings, accounts, DeliveryReceipts(clock), texts, clock),
        inbox=InboxUseCases(settings, templates, registry.values),
        texts=TextUseCases(registry, templates),
        sender=MessageSender(settings, accounts, registry, templates, clock),
        polling=StatusPolling(accounts, clock),
        webhooks=WebhookUseCases(client, keys, clock),
        webhook_sender=WebhookSender(settings, client, keys, composer, clock),
    )
