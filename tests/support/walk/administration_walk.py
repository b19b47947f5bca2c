"""What only some roles may call, and no case is in: texts, configuration, staff accounts."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from contracts.accounts import AddStaff, ChangeStaff, ListStaff, ListStaffHistory, ResetStaffCredentials
from contracts.audit import FindAuditedCase, NameStaff, ReadAudit
from contracts.base import Request, now
from contracts.intake import (
    ChangeConfiguration,
    DeadlineRule,
    GetConfiguration,
    ListConfigurationHistory,
    SetCalendar,
    SetDeadlines,
)
from contracts.leaves import AddLeave, EndLeave, ListLeaves
from contracts.notify import ChangeNotificationText, ListNotificationTextHistory, ListNotificationTexts
from contracts.operations import DropDeadLetter, ListDeadLetters, ReadQueues, ReplayDeadLetter, ShowDeadLetter
from contracts.rule_previews import PreviewRules
from contracts.staff_changes import ConfirmStaffChange, DenyStaffChange, ListStaffChanges
from contracts.vocabulary import Role
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
)
from tests.support.walk.oracle import Person
from tests.support.walk.witness import ServiceWalk

_WEBHOOK: dict[str, Any] = {"name": "137", "url": "https://127.0.0.1/", "events": ["case.opened"]}


class AdministrationWalk(ServiceWalk):
    """What only some roles may call, and no case is in: texts, configuration, staff accounts."""

    def notify_list_notification_texts(self, person: Person) -> None:
        request = ListNotificationTexts(actor=self.actor(person))
        self.only_for(person, "notify.list_notification_texts", request, Role.ADMINISTRATOR)

    def notify_change_notification_text(self, person: Person) -> None:
        request = ChangeNotificationText(
            actor=self.actor(person),
            idempotency_key=uuid.uuid4().hex,
            channel="inbox",
            name="decided",
            text_fa=None,
            text_en=None,
            expected_version=0,
        )
        self.only_for(person, "notify.change_notification_text", request, Role.ADMINISTRATOR)

    def notify_list_notification_text_history(self, person: Person) -> None:
        request = ListNotificationTextHistory(actor=self.actor(person))
        self.only_for(person, "notify.list_notification_text_history", request, Role.ADMINISTRATOR)

    def notify_list_webhook_subscriptions(self, person: Person) -> None:
        self._webhooks(person, "list_webhook_subscriptions", ListWebhookSubscriptions)

    def notify_get_webhook_subscription(self, person: Person) -> None:
        self._webhooks(person, "get_webhook_subscription", GetWebhookSubscription)

    def notify_create_webhook_subscription(self, person: Person) -> None:
        # To an address that is never called: it is refused to whoever may, too.
        self._webhooks(person, "create_webhook_subscription", CreateWebhookSubscription, **_WEBHOOK)

    def notify_change_webhook_subscription(self, person: Person) -> None:
        self._webhooks(person, "change_webhook_subscription", ChangeWebhookSubscription, expected_version=1, **_WEBHOOK)

    def notify_delete_webhook_subscription(self, person: Person) -> None:
        self._webhooks(person, "delete_webhook_subscription", DeleteWebhookSubscription, expected_version=1)

    def notify_rotate_webhook_secret(self, person: Person) -> None:
        self._webhooks(person, "rotate_webhook_secret", RotateWebhookSecret)

    def notify_send_webhook_test(self, person: Person) -> None:
        self._webhooks(person, "send_webhook_test", SendWebhookTest)

    def notify_list_webhook_deliveries(self, person: Person) -> None:
        self._webhooks(person, "list_webhook_deliveries", ListWebhookDeliveries)

    def notify_replay_webhook_deliveries(self, person: Person) -> None:
        self._webhooks(person, "replay_webhook_deliveries", ReplayWebhookDeliveries, delivery_id=uuid.uuid4())

    def _webhooks(self, person: Person, method: str, request: type[Request], **fields: Any) -> None:
        """Of a subscription that there is not, for whoever may ask for it."""
        common = {
            "actor": self.actor(person),
            "idempotency_key": uuid.uuid4().hex,
            "subscription_id": uuid.uuid4(),
            **fields,
        }
        given = {key: value for key, value in common.items() if key in request.model_fields}
        self.only_for(person, f"notify.{method}", request(**given), Role.ADMINISTRATOR)

    def _reads_audit(self, person: Person, service: str) -> None:
        request = ReadAudit(actor=self.actor(person), limit=5)
        self.only_for(person, f"{service}.read_audit", request, Role.AUDITOR)

    def intake_read_audit(self, person: Person) -> None:
        self._reads_audit(person, "intake")

    def tracking_read_audit(self, person: Person) -> None:
        self._reads_audit(person, "tracking")

    def accounts_read_audit(self, person: Person) -> None:
        self._reads_audit(person, "accounts")

    def notify_read_audit(self, person: Person) -> None:
        self._reads_audit(person, "notify")

    def tracking_find_audited_case(self, person: Person) -> None:
        request = FindAuditedCase(actor=self.actor(person), number="1405-000001")
        self.only_for(person, "tracking.find_audited_case", request, Role.AUDITOR)
        if not (person.staff and person.active):
            return
        # Were they an auditor, they would get the id of any case but those about their own unit.
        auditor = self.actor(person).model_copy(update={"roles": frozenset({Role.AUDITOR})})
        for case in list(self.oracle.cases.values())[:: self._thin]:
            request = FindAuditedCase(actor=auditor, number=case.number)
            _, code = self.ask(person, "tracking.find_audited_case", request, check=False)
            granted = not self.oracle.conflicted(person, case.unit)
            self.same(person, "tracking.find_audited_case", code is None, granted)

    def accounts_name_staff(self, person: Person) -> None:
        request = NameStaff(actor=self.actor(person), typed="بازرس")
        self.only_for(person, "accounts.name_staff", request, Role.AUDITOR)

    def intake_get_configuration(self, person: Person) -> None:
        self.only_for(
            person, "intake.get_configuration", GetConfiguration(actor=self.actor(person)), Role.ADMINISTRATOR
        )

    def intake_change_configuration(self, person: Person) -> None:
        change = ChangeConfiguration(
            actor=self.actor(person),
            expected_version=0,
            idempotency_key=uuid.uuid4().hex,
            changes=[SetCalendar(holidays=[])],
        )
        self.only_for(person, "intake.change_configuration", change, Role.ADMINISTRATOR)

    def tracking_preview_rules(self, person: Person) -> None:
        change = SetDeadlines(deadlines=[DeadlineRule(days=1)], applies_to="open")
        request = PreviewRules(actor=self.actor(person), change=change)
        self.only_for(person, "tracking.preview_rules", request, Role.ADMINISTRATOR)

    def intake_list_configuration_history(self, person: Person) -> None:
        request = ListConfigurationHistory(actor=self.actor(person))
        self.only_for(person, "intake.list_configuration_history", request, Role.ADMINISTRATOR)

    def accounts_list_staff(self, person: Person) -> None:
        request = ListStaff(actor=self.actor(person))
        also = (Role.HEAD, Role.SCREENER, Role.SUBSTITUTE, Role.ADMINISTRATOR)
        self.only_for(person, "accounts.list_staff", request, *also)

    def accounts_add_staff(self, person: Person) -> None:
        request = AddStaff(
            actor=self.actor(person),
            idempotency_key=uuid.uuid4().hex,
            username="somebody",
            display_name="کسی",
            roles=[Role.HEAD],
        )
        self.only_for(person, "accounts.add_staff", request, Role.ADMINISTRATOR)

    def accounts_change_staff(self, person: Person) -> None:
        request = ChangeStaff(
            actor=self.actor(person),
            idempotency_key=uuid.uuid4().hex,
            staff_id=uuid.uuid4(),
            expected_version=1,
            display_name="کسی",
            roles=[Role.HEAD],
            unit=None,
            active=True,
        )
        self.only_for(person, "accounts.change_staff", request, Role.ADMINISTRATOR)

    def accounts_reset_staff_credentials(self, person: Person) -> None:
        request = ResetStaffCredentials(
            actor=self.actor(person), idempotency_key=uuid.uuid4().hex, staff_id=uuid.uuid4()
        )
        self.only_for(person, "accounts.reset_staff_credentials", request, Role.ADMINISTRATOR)

    def accounts_list_leaves(self, person: Person) -> None:
        self.only_for(person, "accounts.list_leaves", ListLeaves(actor=self.actor(person)), *Role)

    def accounts_add_leave(self, person: Person) -> None:
        request = AddLeave(
            actor=self.actor(person),
            idempotency_key=uuid.uuid4().hex,
            staff_id=uuid.uuid4(),
            deputy=uuid.uuid4(),
            starts_at=now(),
            ends_at=now() + timedelta(days=1),
        )
        self.only_for(person, "accounts.add_leave", request, Role.HEAD, Role.ADMINISTRATOR)

    def accounts_end_leave(self, person: Person) -> None:
        request = EndLeave(actor=self.actor(person), leave_id=uuid.uuid4())
        self.only_for(person, "accounts.end_leave", request, *Role)

    def accounts_list_staff_changes(self, person: Person) -> None:
        request = ListStaffChanges(actor=self.actor(person))
        self.only_for(person, "accounts.list_staff_changes", request, Role.ADMINISTRATOR, Role.CUSTODIAN)

    def accounts_confirm_staff_change(self, person: Person) -> None:
        request = ConfirmStaffChange(actor=self.actor(person), idempotency_key=uuid.uuid4().hex, change_id=uuid.uuid4())
        self.only_for(person, "accounts.confirm_staff_change", request, Role.ADMINISTRATOR)

    def accounts_deny_staff_change(self, person: Person) -> None:
        request = DenyStaffChange(actor=self.actor(person), change_id=uuid.uuid4())
        self.only_for(person, "accounts.deny_staff_change", request, Role.ADMINISTRATOR)

    def accounts_list_staff_history(self, person: Person) -> None:
        request = ListStaffHistory(actor=self.actor(person))
        self.only_for(person, "accounts.list_staff_history", request, Role.ADMINISTRATOR)

    # --- operations: for administrators, whom the walk's broker does not answer ---

    def _of_operations(self, person: Person, name: str, request: Request) -> None:
        if Role.ADMINISTRATOR not in person.roles:
            self.refused(person, name, self.ask(person, name, request)[1])

    def accounts_read_queues(self, person: Person) -> None:
        self._of_operations(person, "accounts.read_queues", ReadQueues(actor=self.actor(person)))

    def accounts_list_dead_letters(self, person: Person) -> None:
        self._of_operations(person, "accounts.list_dead_letters", ListDeadLetters(actor=self.actor(person)))

    def accounts_show_dead_letter(self, person: Person) -> None:
        request = ShowDeadLetter(actor=self.actor(person), letter_id="0" * 32)
        self._of_operations(person, "accounts.show_dead_letter", request)

    def accounts_replay_dead_letter(self, person: Person) -> None:
        request = ReplayDeadLetter(actor=self.actor(person), idempotency_key=uuid.uuid4().hex, letter_id="0" * 32)
        self._of_operations(person, "accounts.replay_dead_letter", request)

    def accounts_drop_dead_letter(self, person: Person) -> None:
        dropping = {"idempotency_key": uuid.uuid4().hex, "letter_id": "0" * 32, "reason": "آزمایشی"}
        request = DropDeadLetter(actor=self.actor(person), **dropping)
        self._of_operations(person, "accounts.drop_dead_letter", request)
