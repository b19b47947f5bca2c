"""The composition root: makes each shared object of the process once, and gives it to the use cases that need it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backbone.process.settings import secret
from contracts.base import now
from services.notify.clock import Clock
from services.notify.delivery.receipts import DeliveryReceipts, StatusPolling
from services.notify.delivery.use_cases import MessageSender
from services.notify.inbound.pushes import ProviderPushes
from services.notify.inbound.settled_replies import SettledReplies
from services.notify.inbound.use_cases import InboundTexts
from services.notify.inbox.use_cases import InboxUseCases
from services.notify.message_log.use_cases import LogUseCases
from services.notify.notifications.composer import MessageComposer
from services.notify.notifications.registry import shipped_registry
from services.notify.notifications.use_cases import NotificationUseCases
from services.notify.notifications.validation import check_shipped
from services.notify.preferences.use_cases import PreferenceUseCases
from services.notify.providers import configured_accounts
from services.notify.providers.protocol import SmsProvider
from services.notify.push.devices import DeviceSeal
from services.notify.push.sender import PushSender
from services.notify.push.server_keys import ServerKeys
from services.notify.push.use_cases import PORTS, PushUseCases
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
    log: LogUseCases
    preferences: PreferenceUseCases
    push: PushUseCases
    push_sender: PushSender


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
    server_keys = ServerKeys([secret(key) for key in settings.vapid_private_keys or ()], settings.notify_push_contact)
    push_client = WebhookClient(
        settings.notify_push_networks, PORTS, settings.notify_push_timeout, agent="Peygir-Push/1"
    )
    seal = DeviceSeal(settings)
    return NotifyApp(
        notifications=NotificationUseCases(composer, SettledReplies(composer), clock),
        pushes=ProviderPushes(settings, accounts, DeliveryReceipts(clock), texts, clock),
        inbox=InboxUseCases(settings, templates, registry.values),
        texts=TextUseCases(registry, templates),
        sender=MessageSender(settings, accounts, registry, templates, clock),
        polling=StatusPolling(accounts, clock),
        webhooks=WebhookUseCases(client, keys, clock),
        webhook_sender=WebhookSender(settings, client, keys, composer, clock),
        log=LogUseCases(settings, clock),
        preferences=PreferenceUseCases(settings.notify_quiet_hours, clock),
        push=PushUseCases(settings, server_keys, seal, clock),
        push_sender=PushSender(settings, push_client, server_keys, seal, clock),
    )
