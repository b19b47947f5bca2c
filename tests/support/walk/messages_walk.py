"""Messages of the inbox, devices and preferences."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from contracts.notification_log import ListNotifications, ResendNotification
from contracts.notify import ListMessages, MarkRead, MessageChannel, PreviewNotificationText
from contracts.preferences import ChangePreferences, PreferredChannel, ShowPreferences
from contracts.push import ListPushSubscriptions, SubscribePush, UnsubscribePush
from contracts.vocabulary import ActorKind, Role
from tests.support.walk.oracle import Person
from tests.support.walk.witness import Leak, ServiceWalk

_OF_WORK = frozenset({"inspector", "colleague", "worker", "mentioned", "operator"})
"""Messages by name that a deputy has, too: not those about an account, nor about an identity that was asked for."""


class MessagesWalk(ServiceWalk):
    """Messages of the inbox."""

    def _messages(self, person: Person) -> set[UUID]:
        """What is written to this person: to a citizen of their own cases, to staff by name or role unless they have a
        conflict of interest, to a unit's liaison."""
        message_ids = set()
        for row in self.world.rows("notify", "SELECT * FROM messages WHERE channel = 'inbox'"):
            case = self.oracle.cases.get(row["case_id"])
            if row["audience"] == "citizen":
                granted = not person.staff and case is not None and self.oracle.knows(person, case)
            elif row["role"] == "liaison":
                granted = self.oracle.answers_for(person, row["unit"])
            else:
                # By name: it was told while the case was theirs, and stays in their inbox.
                of_away = str(row["staff_id"]) in person.deputy_of and row["audience"] in _OF_WORK
                stands_in = case is not None and self.oracle.stands_in(person, case)
                granted = str(row["staff_id"]) == person.id or of_away
                granted = granted or row["role"] in person.roles & {"head", "screener", "custodian"}
                granted = granted or (stands_in and row["role"] in ("head", "screener"))
                granted = granted and bool(person.roles) and not (case and self.oracle.conflicted(person, case.unit))
            if granted:
                message_ids.add(row["id"])
        return message_ids

    def notify_list_messages(self, person: Person) -> None:
        granted = self._messages(person)
        message_ids: set[UUID] = set()
        after = None
        codes = [person.code_hash] if person.code_hash else []
        while True:
            request = ListMessages(actor=person.actor, code_hashes=codes, after=after, limit=100)
            page, code = self.ask(person, "notify.list_messages", request, check=not person.staff)
            if page is None:
                self.refused(person, "notify.list_messages", code)
                break
            message_ids |= {item.id for item in page.items}
            for item in page.items:
                case = self.oracle.cases.get(item.case_id) if item.case_id else None
                if case and self.oracle.conflicted(person, case.unit):
                    raise Leak(f"notify.list_messages tells {person.name} of {case.number}")
                allowed = {str(item.case_id), item.case_number}
                self.read(person, "notify.list_messages", item.text, [word for word in allowed if word])
            after = page.next
            if after is None:
                break
        self.same(person, "notify.list_messages", message_ids, granted)

    def notify_mark_read(self, person: Person) -> None:
        granted = self._messages(person)
        rows = self.world.rows("notify", "SELECT id FROM messages ORDER BY id LIMIT 100")
        codes = [person.code_hash] if person.code_hash else []
        request = MarkRead(actor=person.actor, code_hashes=codes, ids=[row["id"] for row in rows])
        messages, code = self.ask(person, "notify.mark_read", request, check=False)
        marked = {item.id for item in messages.items} if code is None else set()
        self.same(person, "notify.mark_read", marked, granted & {row["id"] for row in rows})

    # --- devices and preferences: one's own alone ---

    def _who(self, person: Person) -> dict[str, Any]:
        codes = [person.code_hash] if person.code_hash else []
        return {"actor": self.actor(person), "code_hashes": codes}

    def _is_somebody(self, person: Person) -> bool:
        return person.actor is not None and (
            person.actor.kind in (ActorKind.CITIZEN, ActorKind.STAFF) or bool(person.code_hash)
        )

    def _of_oneself(self, person: Person, name: str, request: Any) -> Any:
        answer, code = self.ask(person, name, request)
        if self._is_somebody(person):
            self.same(person, name, code, None)
        else:
            self.refused(person, name, code)
        return answer

    def notify_subscribe_push(self, person: Person) -> None:
        device: dict[str, Any] = {
            "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/walk",
            "keys": {
                "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                "auth": "BTBZMqHH6r4Tts7J_aSIgg",
            },
        }
        self._of_oneself(person, "notify.subscribe_push", SubscribePush(**self._who(person), **device))

    def notify_list_push_subscriptions(self, person: Person) -> None:
        request = ListPushSubscriptions(**self._who(person))
        answer = self._of_oneself(person, "notify.list_push_subscriptions", request)
        if answer is not None:
            self.same(person, "notify.list_push_subscriptions", answer.items, [])

    def notify_unsubscribe_push(self, person: Person) -> None:
        request = UnsubscribePush(**self._who(person), subscription_id=uuid.uuid4())
        self.refused(person, "notify.unsubscribe_push", self.ask(person, "notify.unsubscribe_push", request)[1])

    def notify_show_preferences(self, person: Person) -> None:
        answer = self._of_oneself(person, "notify.show_preferences", ShowPreferences(**self._who(person)))
        if answer is not None:
            self.same(person, "notify.show_preferences", answer.chosen, False)

    def notify_change_preferences(self, person: Person) -> None:
        request = ChangePreferences(**self._who(person), channel=PreferredChannel.PUSH)
        self._of_oneself(person, "notify.change_preferences", request)

    # --- the office's log ---

    def _logged(self, person: Person) -> set[UUID]:
        """To heads and administrators all but what is about a unit in which they have a conflict of interest, or may have one
        since nobody knows yet which unit it is about."""
        ids = set()
        for row in self.world.rows("notify", "SELECT * FROM messages"):
            case = self.oracle.cases.get(row["case_id"])
            unknown = case is not None and case.unit is None and bool(person.units)
            conflicted = unknown or (case is not None and self.oracle.conflicted(person, case.unit))
            if not conflicted and not (row["unit"] and self.oracle.conflicted(person, row["unit"])):
                ids.add(row["id"])
        return ids

    def notify_list_notifications(self, person: Person) -> None:
        if not (person.staff and person.active and person.roles & {Role.HEAD, Role.ADMINISTRATOR}):
            request = ListNotifications(actor=self.actor(person))
            self.refused(person, "notify.list_notifications", self.ask(person, "notify.list_notifications", request)[1])
            return
        ids: set[UUID] = set()
        after = None
        while True:
            request = ListNotifications(actor=person.actor, after=after, limit=100)
            page, _ = self.ask(person, "notify.list_notifications", request)
            for item in page.items:
                ids.add(item.notification_id)
                sees = Role.HEAD in person.roles
                if (item.case_id or item.case_number) and not sees:
                    raise Leak(f"notify.list_notifications tells {person.name} of {item.case_number}")
            after = page.next
            if after is None:
                break
        self.same(person, "notify.list_notifications", ids, self._logged(person))

    def notify_resend_notification(self, person: Person) -> None:
        granted = person.staff and person.active and person.roles & {Role.HEAD, Role.ADMINISTRATOR}
        hidden = {row["id"] for row in self.world.rows("notify", "SELECT id FROM messages")} - self._logged(person)
        for message_id in [*sorted(hidden)[:3], uuid.uuid4()]:
            key = uuid.uuid4().hex
            request = ResendNotification(actor=self.actor(person), idempotency_key=key, notification_id=message_id)
            _, code = self.ask(person, "notify.resend_notification", request)
            self.refused(person, "notify.resend_notification", code)
        if granted and (seen := sorted(self._logged(person))):
            key = uuid.uuid4().hex
            request = ResendNotification(actor=self.actor(person), idempotency_key=key, notification_id=seen[0])
            _, code = self.ask(person, "notify.resend_notification", request)
            self.same(person, "notify.resend_notification", code, "not_resendable")

    def notify_preview_notification_text(self, person: Person) -> None:
        request = PreviewNotificationText(actor=self.actor(person), channel=MessageChannel.SMS, name="decided")
        self.only_for(person, "notify.preview_notification_text", request, Role.ADMINISTRATOR)
