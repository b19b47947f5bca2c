"""Notify's entrypoints: parse, call, answer; and the loops that send messages and poll their status."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider
from prometheus_client import Counter
from sqlalchemy import Connection

from backbone.messaging.consumers import TryLater, durable_event_handler
from backbone.messaging.rpc import rpc
from backbone.process import logs
from backbone.process.audited_service import AuditedService
from backbone.process.dependencies import UseCases
from backbone.process.timers import REST, Rhythm
from backbone.storage.database import Database
from contracts.accounts import CitizenAccountDeleted, OtpRequested, SignInFailuresNoted, StaffChanged
from contracts.call_backs import CallableCitizen, CheckCallable
from contracts.desk import SubmissionClaimed, SubmissionDisowned
from contracts.gateway import ReceiveSmsPush
from contracts.identities import IdentityAsked, IdentityDecided
from contracts.intake import CatalogueChanged, SubmissionRecoded, SubmissionRegistered
from contracts.leaves import LeaveChanged
from contracts.notification_log import ListNotifications, LoggedNotification, Notifications, ResendNotification
from contracts.notify import (
    ChangeNotificationText,
    CodeSent,
    ListMessages,
    ListNotificationTextHistory,
    ListNotificationTexts,
    MarkRead,
    MessagePage,
    NotificationText,
    NotificationTextHistory,
    NotificationTextPreview,
    NotificationTexts,
    PreviewNotificationText,
    SendCode,
)
from contracts.own_account import AccountSecurityChanged
from contracts.preferences import ChangePreferences, Preferences, ShowPreferences
from contracts.push import (
    GetPushKey,
    ListPushSubscriptions,
    PushKey,
    PushSubscription,
    PushSubscriptions,
    PushUnsubscribed,
    SubscribePush,
    UnsubscribePush,
)
from contracts.staff_changes import StaffChangeDecided, StaffChangeRequested
from contracts.tracking import RetentionDue, TrackedEvent
from contracts.webhooks import (
    ChangeWebhookSubscription,
    CreateWebhookSubscription,
    DeleteWebhookSubscription,
    GetWebhookSubscription,
    ListWebhookDeliveries,
    ListWebhookSubscriptions,
    ReplayWebhookDeliveries,
    RotateWebhookSecret,
    SendWebhookTest,
    WebhookDelivery,
    WebhookDeliveryPage,
    WebhookReplay,
    WebhookSubscription,
    WebhookSubscriptionDeleted,
    WebhookSubscriptions,
    WebhookSubscriptionWithSecret,
)
from services.notify.composition import NotifyApp, compose
from services.notify.delivery.rules import POLLING
from services.notify.delivery.store import take_due_mark
from services.notify.models import notification_commands, text_commands, webhook_commands
from services.notify.push.sender import PushSender
from services.notify.push.store import take_due_mark as take_pushes_mark
from services.notify.webhooks.http_client import DeliveryFailed
from services.notify.webhooks.sender import WebhookSender
from services.notify.webhooks.store import take_due_mark as take_webhooks_mark

log = logs.get("delivery")

MAX_CALLS = 16  # messages being sent at the same time, by one process
SHORTEST_REST = 0.5
"""Seconds between two looks for due messages of a sender that is not woken: while all providers rest, say."""
WEBHOOK_PRUNING = 600.0
"""Seconds between two looks for deliveries to partner systems that have left the log."""
LINGER = 0.3
"""Seconds in which events of cases are collected: nobody waits for the SMS that they cause, unlike for a one-time code."""

RUNS = Counter("peygir_sms_sender_runs_total", "Looks for due messages, by what they followed", ["after"])
POLLS = Counter("peygir_sms_status_polls_total", "Looks for messages whose status is to be polled")


class SharedUseCases(UseCases):
    """The process's one `NotifyApp`, for entrypoints and for the loops."""

    def setup(self) -> None:
        super().setup()
        self.container.config["app"] = self._made


class DeliveryLoops(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    """Two loops, each on its own schedule: one sends what is due, when it is woken and when the next message becomes due; one
    polls the statuses of what was sent."""

    def setup(self) -> None:
        self._pool = eventlet.GreenPool(MAX_CALLS)
        self._sending = Rhythm(pause=0.0)
        self._stopping = False

    def start(self) -> None:
        self._app: NotifyApp = self.container.config["app"]
        self._database: Database = self.container.config["database"]
        self._sender = self.container.spawn_managed_thread(self._keep_sending)
        self._poller = self.container.spawn_managed_thread(self._keep_polling)

    def stop(self) -> None:
        """Waits for calls of providers that have not been answered."""
        self._stopping = True
        self._sending.wake()
        with eventlet.Timeout(8, False):
            self._sender.wait()
        self._poller.kill()

    def get_dependency(self, worker_ctx: Any) -> Callable[[], None]:
        return self._sending.wake

    def _keep_sending(self) -> None:
        rest = SHORTEST_REST
        while not self._stopping:
            RUNS.labels("woken" if self._sending.wait(rest) else "rested").inc()
            try:
                rest = self._send()
            except Exception as error:  # noqa: BLE001  # the loop goes on whatever the database does; a lease ends by itself
                rest = SHORTEST_REST
                log.warning("delivery was interrupted", error=logs.describe(error))

    def _send(self) -> float:
        """Sends all that is due; seconds until something will be again."""
        sender = self._app.sender
        while not self._stopping and sender.send_due(self._database, self._pool.imap, MAX_CALLS) == MAX_CALLS:
            pass
        return min(max(sender.seconds_to_next(self._database), SHORTEST_REST), REST)

    def _keep_polling(self) -> None:
        while True:
            POLLS.inc()
            try:
                self._app.polling.poll(self._database)
            except Exception as error:  # noqa: BLE001  # as above
                log.warning("polling was interrupted", error=logs.describe(error))
            eventlet.sleep(POLLING)


class WebhookLoop(DependencyProvider):  # type: ignore[misc]  # nameko is untyped
    """Sends deliveries to partner systems side by side, when it is woken and when the next becomes due; forgets old ones."""

    @property
    def sender(self) -> WebhookSender | PushSender:
        return self._app.webhook_sender

    def setup(self) -> None:
        self._pool = eventlet.GreenPool(MAX_CALLS)
        self._rhythm = Rhythm(pause=0.0)
        self._stopping = False

    def start(self) -> None:
        self._app: NotifyApp = self.container.config["app"]
        self._database: Database = self.container.config["database"]
        self._loop = self.container.spawn_managed_thread(self._repeat)
        self._pruner = self.container.spawn_managed_thread(self._prune)

    def stop(self) -> None:
        """Waits for calls of partners that have not been answered."""
        self._stopping = True
        self._rhythm.wake()
        with eventlet.Timeout(8, False):
            self._loop.wait()
            self._pool.waitall()
        self._pruner.kill()

    def get_dependency(self, worker_ctx: Any) -> Callable[[], None]:
        return self._rhythm.wake

    def _repeat(self) -> None:
        rest = SHORTEST_REST
        while not self._stopping:
            self._rhythm.wait(rest)
            try:
                rest = self._start_due()
            except Exception as error:  # noqa: BLE001  # as above
                rest = SHORTEST_REST
                log.warning("deliveries were interrupted", error=logs.describe(error))

    def _start_due(self) -> float:
        """Starts what is due, as far as calls are left; seconds until something will be again."""
        sender = self.sender
        while not self._stopping and (free := self._pool.free()):
            attempts = sender.claim(self._database, free, kept_free=MAX_CALLS // 2)
            for attempt in attempts:
                self._pool.spawn_n(self._send, attempt)
            if not attempts:
                break
        return min(max(sender.seconds_to_next(self._database), SHORTEST_REST), REST)

    def _send(self, attempt: Any) -> None:
        sender: Any = self.sender
        result: Any = DeliveryFailed("timed_out")
        try:
            with eventlet.Timeout(sender.longest_attempt, False):
                result = sender.attempt(attempt)
            sender.settle(self._database, attempt, result)
        except Exception as error:  # noqa: BLE001  # as above
            log.warning("a delivery was interrupted", error=logs.describe(error))
        self._rhythm.wake()

    def _prune(self) -> None:
        while True:
            eventlet.sleep(WEBHOOK_PRUNING)
            try:
                while self.sender.prune(self._database):
                    pass
            except Exception as error:  # noqa: BLE001  # as above
                log.warning("a log of deliveries was not pruned", error=logs.describe(error))


class PushLoop(WebhookLoop):
    """The same with pushes to devices."""

    @property
    def sender(self) -> WebhookSender | PushSender:
        return self._app.push_sender


class Service(AuditedService):
    name = "notify"
    command_tables = (text_commands, webhook_commands, notification_commands)
    use_cases = SharedUseCases(compose)
    wake_sender = DeliveryLoops()
    wake_webhooks = WebhookLoop()
    wake_pushes = PushLoop()

    @contextmanager
    def _sending(self, session: AbstractContextManager[Connection]) -> Iterator[Connection]:
        """The connection of a transaction, or of statements; after it a sender is woken for which it made something due."""
        with session as connection:
            self._take_marks(connection)  # what was rolled back leaves its own on the pooled connection
            yield connection
            message, webhook, push = self._take_marks(connection)
        if message:
            self.wake_sender()
        if webhook:
            self.wake_webhooks()
        if push:
            self.wake_pushes()

    @staticmethod
    def _take_marks(connection: Connection) -> tuple[bool, bool, bool]:
        return take_due_mark(connection), take_webhooks_mark(connection), take_pushes_mark(connection)

    @durable_event_handler("notify.contacts", batch=100, linger=LINGER, concurrency=1)
    def contacts(
        self, events: list[SubmissionRegistered | SubmissionRecoded | SubmissionClaimed | SubmissionDisowned]
    ) -> None:
        registered = [event for event in events if isinstance(event, SubmissionRegistered)]
        if registered:
            with self._sending(self.db.statements()) as connection:
                self.use_cases.notifications.submissions_registered(connection, registered)
        for event in events:
            if not isinstance(event, SubmissionRegistered):
                with self._sending(self.db.transaction()) as connection:
                    self.use_cases.notifications.contact_changed(connection, event)

    @durable_event_handler("notify.cases", batch=100, linger=LINGER, concurrency=1)
    def case_events(self, events: list[TrackedEvent]) -> None:
        with self._sending(self.db.statements()) as connection:
            self.use_cases.notifications.case_events(connection, events)

    @durable_event_handler("notify.identities", concurrency=1)
    def identity_event(self, event: IdentityAsked | IdentityDecided) -> None:
        with self._sending(self.db.statements()) as connection:
            self.use_cases.notifications.identity_event(connection, event)

    @durable_event_handler("notify.retention", concurrency=1)
    def retention_due(self, event: RetentionDue) -> None:
        with self.db.transaction() as connection:
            self.use_cases.notifications.retention_due(connection, event)

    @durable_event_handler("notify.otp")
    def otp_requested(self, event: OtpRequested) -> None:
        with self._sending(self.db.statements()) as connection:
            self.use_cases.notifications.otp_requested(connection, event)

    @durable_event_handler("notify.sign_ins", concurrency=1)
    def sign_in_failures(self, event: SignInFailuresNoted) -> None:
        with self._sending(self.db.statements()) as connection:
            self.use_cases.notifications.sign_in_failures_noted(connection, event)

    @durable_event_handler("notify.account_security", concurrency=1)
    def account_security(self, event: AccountSecurityChanged) -> None:
        with self._sending(self.db.statements()) as connection:
            self.use_cases.notifications.account_security_changed(connection, event)

    @durable_event_handler("notify.inbound")
    def provider_push(self, command: ReceiveSmsPush) -> None:
        with self._sending(self.db.transaction()) as connection:
            received = self.use_cases.pushes.receive(connection, command)
        # After the commit: what could be read is stored, and changes nothing when the push comes again.
        if not received.complete:
            raise TryLater("the message of a delivery receipt is not known yet")
        if received.error is not None:
            raise received.error

    @durable_event_handler("notify.staff", concurrency=1)
    def staff_changed(self, event: StaffChanged | LeaveChanged | CitizenAccountDeleted) -> None:
        with self.db.transaction() as connection:
            if isinstance(event, CitizenAccountDeleted):
                self.use_cases.notifications.account_deleted(connection, event)
                return
            self.use_cases.notifications.staff_changed(connection, event)

    @durable_event_handler("notify.staff_changes", concurrency=1)
    def staff_change(self, event: StaffChangeRequested | StaffChangeDecided) -> None:
        with self._sending(self.db.statements()) as connection:
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
    def send_code(self, request: SendCode) -> CodeSent:
        with self._sending(self.db.transaction()) as connection:
            return self.use_cases.notifications.send_code(connection, request)

    @rpc
    def mark_read(self, request: MarkRead) -> MessagePage:
        with self.db.transaction() as connection:
            return self.use_cases.inbox.mark_read(connection, request)

    @rpc
    def check_callable(self, request: CheckCallable) -> CallableCitizen:
        with self.db.read() as connection:
            return self.use_cases.inbox.check_callable(connection, request)

    # --- devices and preferences ---

    @rpc
    def get_push_key(self, request: GetPushKey) -> PushKey:
        return self.use_cases.push.get_key(request)

    @rpc
    def subscribe_push(self, request: SubscribePush) -> PushSubscription:
        with self.db.transaction() as connection:
            return self.use_cases.push.subscribe(connection, request)

    @rpc
    def list_push_subscriptions(self, request: ListPushSubscriptions) -> PushSubscriptions:
        with self.db.read() as connection:
            return self.use_cases.push.list_subscriptions(connection, request)

    @rpc
    def unsubscribe_push(self, request: UnsubscribePush) -> PushUnsubscribed:
        with self.db.transaction() as connection:
            return self.use_cases.push.unsubscribe(connection, request)

    @rpc
    def show_preferences(self, request: ShowPreferences) -> Preferences:
        with self.db.read() as connection:
            return self.use_cases.preferences.show(connection, request)

    @rpc
    def change_preferences(self, request: ChangePreferences) -> Preferences:
        with self.db.transaction() as connection:
            return self.use_cases.preferences.change(connection, request)

    # --- the log ---

    @rpc
    def list_notifications(self, request: ListNotifications) -> Notifications:
        return self.command(self.use_cases.log.list_notifications, request)

    @rpc
    def resend_notification(self, request: ResendNotification) -> LoggedNotification:
        answer = self.command(self.use_cases.log.resend, request)
        self.wake_sender()
        self.wake_pushes()
        return answer

    # --- texts ---

    @rpc
    def list_notification_texts(self, request: ListNotificationTexts) -> NotificationTexts:
        with self.db.read() as connection:
            return self.use_cases.texts.list_texts(connection, request)

    @rpc
    def change_notification_text(self, request: ChangeNotificationText) -> NotificationText:
        return self.command(self.use_cases.texts.change_text, request)

    @rpc
    def preview_notification_text(self, request: PreviewNotificationText) -> NotificationTextPreview:
        with self.db.read() as connection:
            return self.use_cases.texts.preview(connection, request)

    @rpc
    def list_notification_text_history(self, request: ListNotificationTextHistory) -> NotificationTextHistory:
        with self.db.read() as connection:
            return self.use_cases.texts.history(connection, request)

    # --- webhooks ---

    @rpc
    def list_webhook_subscriptions(self, request: ListWebhookSubscriptions) -> WebhookSubscriptions:
        with self.db.read() as connection:
            return self.use_cases.webhooks.list_subscriptions(connection, request)

    @rpc
    def get_webhook_subscription(self, request: GetWebhookSubscription) -> WebhookSubscription:
        with self.db.read() as connection:
            return self.use_cases.webhooks.get_subscription(connection, request)

    @rpc
    def create_webhook_subscription(self, request: CreateWebhookSubscription) -> WebhookSubscriptionWithSecret:
        return self.command(self.use_cases.webhooks.create, request)

    @rpc
    def change_webhook_subscription(self, request: ChangeWebhookSubscription) -> WebhookSubscription:
        answer = self.command(self.use_cases.webhooks.change, request)
        self.wake_webhooks()
        return answer

    @rpc
    def delete_webhook_subscription(self, request: DeleteWebhookSubscription) -> WebhookSubscriptionDeleted:
        return self.command(self.use_cases.webhooks.delete, request)

    @rpc
    def rotate_webhook_secret(self, request: RotateWebhookSecret) -> WebhookSubscriptionWithSecret:
        return self.command(self.use_cases.webhooks.rotate_secret, request)

    @rpc
    def send_webhook_test(self, request: SendWebhookTest) -> WebhookDelivery:
        answer = self.command(self.use_cases.webhooks.send_test, request)
        self.wake_webhooks()
        return answer

    @rpc
    def replay_webhook_deliveries(self, request: ReplayWebhookDeliveries) -> WebhookReplay:
        answer = self.command(self.use_cases.webhooks.replay, request)
        self.wake_webhooks()
        return answer

    @rpc
    def list_webhook_deliveries(self, request: ListWebhookDeliveries) -> WebhookDeliveryPage:
        with self.db.read() as connection:
            return self.use_cases.webhooks.list_deliveries(connection, request)
