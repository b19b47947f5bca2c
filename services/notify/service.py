"""Notify's entrypoints: parse, call, answer; and the loops that send messages and poll their status."""

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
from contracts.gateway import ReceiveSmsPush
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
from services.notify.composition import NotifyApp, compose

log = logs.get("delivery")

MAX_CALLS = 16  # messages being sent at the same time, by one process


class SharedUseCases(UseCases):
    """The process's one `NotifyApp`, for entrypoints and for the loops."""

    def setup(self) -> None:
        super().setup()
        self.container.config["app"] = self._made


class DeliveryLoops(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    """Sends what is due, twice a second and when woken; polls statuses every five seconds."""

    def setup(self) -> None:
        self._pool = eventlet.GreenPool(MAX_CALLS)
        self._woken = eventlet.event.Event()
        self._stopping = False

    def start(self) -> None:
        app: NotifyApp = self.container.config["app"]
        self._app = app
        self._threads = [
            self.container.spawn_managed_thread(lambda: self._repeat(self._send, 0.5)),
            self.container.spawn_managed_thread(lambda: self._repeat(app.polling.poll, 5.0)),
        ]

    def stop(self) -> None:
        """Waits for calls of providers that have not been answered."""
        self._stopping = True
        self.wake()
        with eventlet.Timeout(8, False):
            self._threads[0].wait()
        self._threads[1].kill()

    def get_dependency(self, worker_ctx: Any) -> Callable[[], None]:
        return self.wake

    def wake(self) -> None:
        if not self._woken.ready():
            self._woken.send(None)

    def _send(self, database: Database) -> None:
        while not self._stopping and self._app.sender.send_due(database, self._pool.imap, MAX_CALLS) == MAX_CALLS:
            pass

    def _repeat(self, work: Callable[[Database], object], pause: float) -> None:
        while not self._stopping:
            try:
                work(self.container.config["database"])
            except Exception as error:  # noqa: BLE001  # the loop goes on whatever the database does; a lease ends by itself
                log.warning("delivery was interrupted", error=logs.describe(error))
            with eventlet.Timeout(pause, False):
                self._woken.wait()
            if self._woken.ready():
                self._woken = eventlet.event.Event()


class Service(AuditedService):
    name = "notify"
    use_cases = SharedUseCases(compose)
    wake_sender = DeliveryLoops()

    @durable_event_handler("notify.contacts", batch=100, linger=0.05, concurrency=1)
    def contacts(self, events: list[SubmissionRegistered | SubmissionRecoded]) -> None:
        with self.db.transaction() as connection:
            self.use_cases.notifications.submissions_registered(
                connection, [e for e in events if isinstance(e, SubmissionRegistered)]
            )
            for event in events:
                if isinstance(event, SubmissionRecoded) and not self.use_cases.notifications.submission_recoded(
                    connection, event
                ):
                    raise TryLater("the submission itself has not arrived yet")
        self.wake_sender()

    @durable_event_handler("notify.cases", batch=100, linger=0.05, concurrency=1)
    def case_events(self, events: list[TrackedEvent]) -> None:
        with self.db.transaction() as connection:
            self.use_cases.notifications.case_events(connection, events)
        self.wake_sender()

    @durable_event_handler("notify.identities", concurrency=1)
    def identity_event(self, event: IdentityAsked | IdentityDecided) -> None:
        with self.db.transaction() as connection:
            self.use_cases.notifications.identity_event(connection, event)

    @durable_event_handler("notify.retention", concurrency=1)
    def retention_due(self, event: RetentionDue) -> None:
        with self.db.transaction() as connection:
            self.use_cases.notifications.retention_due(connection, event)

    @durable_event_handler("notify.otp")
    def otp_requested(self, event: OtpRequested) -> None:
        with self.db.transaction() as connection:
            self.use_cases.notifications.otp_requested(connection, event)
        self.wake_sender()

    @durable_event_handler("notify.sign_ins", concurrency=1)
    def sign_in_failures(self, event: SignInFailuresNoted) -> None:
        with self.db.transaction() as connection:
            self.use_cases.notifications.sign_in_failures_noted(connection, event)

    @durable_event_handler("notify.inbound")
    def provider_push(self, command: ReceiveSmsPush) -> None:
        with self.db.transaction() as connection:
            complete = self.use_cases.pushes.receive(connection, command)
        self.wake_sender()
        if not complete:
            raise TryLater("the message of a delivery receipt is not known yet")

    @durable_event_handler("notify.staff", concurrency=1)
    def staff_changed(self, event: StaffChanged) -> None:
        with self.db.transaction() as connection:
            self.use_cases.notifications.staff_changed(connection, event)

    @durable_event_handler("notify.staff_changes", concurrency=1)
    def staff_change(self, event: StaffChangeRequested | StaffChangeDecided) -> None:
        with self.db.transaction() as connection:
            self.use_cases.notifications.staff_change_event(connection, event)

    @durable_event_handler("notify.catalogue", concurrency=1)
    def catalogue_changed(self, event: CatalogueChanged) -> None:
        with self.db.transaction() as connection:
            self.use_cases.notifications.catalogue_changed(connection, event)

    @rpc
    def list_messages(self, request: ListMessages) -> MessagePage:
        with self.db.read() as connection:
            return self.use_cases.inbox.list_messages(connection, request)

    @rpc
    def mark_read(self, request: MarkRead) -> MessagePage:
        with self.db.transaction() as connection:
            return self.use_cases.inbox.mark_read(connection, request)

    @rpc
    def list_notification_texts(self, request: ListNotificationTexts) -> NotificationTexts:
        with self.db.read() as connection:
            return self.use_cases.texts.list_texts(connection, request)

    @rpc
    def change_notification_text(self, request: ChangeNotificationText) -> NotificationText:
        return self.command(self.use_cases.texts.change_text, request)

    @rpc
    def list_notification_text_history(self, request: ListNotificationTextHistory) -> NotificationTextHistory:
        with self.db.read() as connection:
            return self.use_cases.texts.history(connection, request)
