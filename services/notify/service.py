"""Notify's entrypoints: parse, call, answer; and the loops that send what is due."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider

from backbone.messaging.consumers import TryLater, durable_event_handler
from backbone.messaging.rpc import rpc
from backbone.process import logs
from backbone.process.audited_service import AuditedService
from backbone.process.dependencies import UseCases
from backbone.storage.database import Database
from contracts.accounts import OtpRequested, SignInFailuresNoted, StaffChanged
from contracts.gateway import ReceiveSms, ReportDelivery
from contracts.identities import IdentityAsked, IdentityDecided
from contracts.intake import CatalogueChanged, SubmissionRecoded, SubmissionRegistered
from contracts.notify import (
    ChangeNotificationText,
    ListMessages,
    ListNotificationTextHistory,
    ListNotificationTexts,
    MarkRead,
    MessagePage,
    NotificationText,
    NotificationTextHistory,
    NotificationTexts,
)
from contracts.staff_changes import StaffChangeDecided, StaffChangeRequested
from contracts.tracking import RetentionDue, TrackedEvent
from services.notify.handlers import Notify
from services.notify.inbound import Handset
from services.notify.inbox import Inbox
from services.notify.providers import Kavenegar
from services.notify.sending import Sender
from services.notify.settings import Settings
from services.notify.texts import Texts

log = logs.get("sending")

AT_ONCE = 16  # messages in the air at the provider, for one process


class SendingLoops(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    """Sends what is due, looked for twice a second and at each kick; asks for statuses every five seconds."""

    def setup(self) -> None:
        settings: Settings = self.container.config["settings"]
        self._sender = Sender(settings, providers_of(settings))
        self._pool = eventlet.GreenPool(AT_ONCE)
        self._kicked = eventlet.event.Event()
        self._stopping = False

    def start(self) -> None:
        self._threads = [
            self.container.spawn_managed_thread(lambda: self._repeat(self._send, 0.5)),
            self.container.spawn_managed_thread(lambda: self._repeat(self._sender.look_after_sent, 5.0)),
        ]

    def stop(self) -> None:
        """What is in the air is waited for."""
        self._stopping = True
        self.kick()
        with eventlet.Timeout(8, False):
            self._threads[0].wait()
        self._threads[1].kill()

    def get_dependency(self, worker_ctx: Any) -> Callable[[], None]:
        return self.kick

    def kick(self) -> None:
        if not self._kicked.ready():
            self._kicked.send(None)

    def _send(self, database: Database) -> None:
        while not self._stopping and self._sender.send_due(database, self._pool.imap, AT_ONCE) == AT_ONCE:
            pass

    def _repeat(self, work: Callable[[Database], object], pause: float) -> None:
        while not self._stopping:
            try:
                work(self.container.config["database"])
            except Exception as error:  # noqa: BLE001  # the loop goes on whatever the database does; a lease ends by itself
                log.warning("sending was interrupted", error=logs.describe(error))
            with eventlet.Timeout(pause, False):
                self._kicked.wait()
            if self._kicked.ready():
                self._kicked = eventlet.event.Event()


def providers_of(settings: Settings) -> list[Kavenegar]:
    """In the order in which they are tried."""
    timeout, rest = settings.kavenegar_timeout, settings.notify_provider_rest
    providers = [
        Kavenegar(
            base_url=settings.kavenegar_base_url,
            api_key=settings.kavenegar_api_key.get_secret_value(),
            sender=settings.sms_sender,
            timeout=timeout,
            rest=rest,
        )
    ]
    if settings.kavenegar_reserve_base_url and settings.kavenegar_reserve_api_key:
        providers.append(
            Kavenegar(
                base_url=settings.kavenegar_reserve_base_url,
                api_key=settings.kavenegar_reserve_api_key.get_secret_value(),
                sender=settings.sms_reserve_sender,
                name="kavenegar-reserve",
                timeout=timeout,
                rest=rest,
            )
        )
    return providers


class Service(AuditedService):
    name = "notify"
    use_cases = UseCases(Notify)
    handset = UseCases(Handset)
    inbox = UseCases(lambda settings: Inbox())
    texts = UseCases(lambda settings: Texts())
    kick_sender = SendingLoops()

    @durable_event_handler("notify.contacts", batch=100, linger=0.05, concurrency=1)
    def contacts(self, events: list[SubmissionRegistered | SubmissionRecoded]) -> None:
        with self.db.transaction() as connection:
            self.use_cases.registered(connection, [e for e in events if isinstance(e, SubmissionRegistered)])
            for event in events:
                if isinstance(event, SubmissionRecoded) and not self.use_cases.recoded(connection, event):
                    raise TryLater("the submission itself has not been told yet")
        self.kick_sender()

    @durable_event_handler("notify.cases", batch=100, linger=0.05, concurrency=1)
    def case_events(self, events: list[TrackedEvent]) -> None:
        with self.db.transaction() as connection:
            self.use_cases.case_events(connection, events)
        self.kick_sender()

    @durable_event_handler("notify.identities", concurrency=1)
    def identity_event(self, event: IdentityAsked | IdentityDecided) -> None:
        with self.db.transaction() as connection:
            self.use_cases.identity_event(connection, event)

    @durable_event_handler("notify.retention", concurrency=1)
    def retention_due(self, event: RetentionDue) -> None:
        with self.db.transaction() as connection:
            self.use_cases.retention_due(connection, event)

    @durable_event_handler("notify.otp")
    def otp_requested(self, event: OtpRequested) -> None:
        with self.db.transaction() as connection:
            self.use_cases.otp_requested(connection, event)
        self.kick_sender()

    @durable_event_handler("notify.sign_ins", concurrency=1)
    def sign_in_failures(self, event: SignInFailuresNoted) -> None:
        with self.db.transaction() as connection:
            self.use_cases.sign_in_failures(connection, event)

    @durable_event_handler("notify.inbound")
    def inbound(self, command: ReceiveSms | ReportDelivery) -> None:
        with self.db.transaction() as connection:
            if isinstance(command, ReceiveSms):
                self.handset.receive_sms(connection, command)
            elif not self.handset.report_delivery(connection, command):
                raise TryLater("the message reported on is not known yet")
        self.kick_sender()

    @durable_event_handler("notify.staff", concurrency=1)
    def staff_changed(self, event: StaffChanged) -> None:
        with self.db.transaction() as connection:
            self.use_cases.staff_changed(connection, event)

    @durable_event_handler("notify.staff_changes", concurrency=1)
    def staff_change(self, event: StaffChangeRequested | StaffChangeDecided) -> None:
        with self.db.transaction() as connection:
            self.use_cases.staff_change(connection, event)

    @durable_event_handler("notify.catalogue", concurrency=1)
    def catalogue_changed(self, event: CatalogueChanged) -> None:
        with self.db.transaction() as connection:
            self.use_cases.catalogue(connection, event)

    @rpc
    def list_messages(self, request: ListMessages) -> MessagePage:
        with self.db.read() as connection:
            return self.inbox.list_messages(connection, request)

    @rpc
    def mark_read(self, request: MarkRead) -> MessagePage:
        with self.db.transaction() as connection:
            return self.inbox.mark_read(connection, request)

    @rpc
    def list_notification_texts(self, request: ListNotificationTexts) -> NotificationTexts:
        with self.db.read() as connection:
            return self.texts.list_texts(connection, request)

    @rpc
    def change_notification_text(self, request: ChangeNotificationText) -> NotificationText:
        return self.command(self.texts.change_text, request)

    @rpc
    def list_notification_text_history(self, request: ListNotificationTextHistory) -> NotificationTextHistory:
        with self.db.read() as connection:
            return self.texts.history(connection, request)
