"""One person, what reaches them, and which notifications were read word for word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contracts.gateway import Actor
from contracts.notify import ListMessages
from contracts.vocabulary import Kind, Language
from deploy.local.sms_simulator.embedded import Simulator
from services.notify.notifications.rules import Notification
from tests.support.notify import Person
from tests.support.processes import BrokerClient, eventually

FA, EN = Language.FA, Language.EN
OFFICE = {FA: "بازرسی شهرداری قزوین", EN: "Qazvin Municipality Inspection"}
DAY = {FA: "۱۴۰۵/۰۹/۲۳", EN: "1405/09/23"}
WORD = {
    FA: {Kind.COMPLAINT: "شکایت", Kind.CRITICISM: "انتقاد", Kind.INFORMATION: "درخواست"},
    EN: {Kind.COMPLAINT: "complaint", Kind.CRITICISM: "criticism", Kind.INFORMATION: "submission"},
}

seen: set[tuple[str, str, str]] = set()
"""(audience, channel, template) of the notifications that some test has read word for word."""


def unread(notifications: Iterable[Notification[Any]]) -> set[tuple[str, str, str]]:
    """Those that no test has read."""
    wanted = {
        (notification.recipient.audience, channel.value, notification.template)
        for notification in notifications
        for channel in notification.channels
    }
    return wanted - seen


class Scene:
    """One person and what reaches them."""

    def __init__(self, broker_client: BrokerClient, simulator: Simulator, person: Person) -> None:
        self.broker_client, self.simulator, self.person = broker_client, simulator, person
        self.language = person.language
        self._last = 0

    def sms(self, template: str, text: str, audience: str = "citizen") -> None:
        """The next SMS on the phone is just this."""
        (arrived,) = self.simulator.messages(self.person.phone, after=self._last, wait=20)[:1]
        self._last = arrived["number"]
        assert arrived["text"] == text
        seen.add((audience, "sms", template))

    def inbox(self, template: str, text: str) -> None:
        """The newest message that the holder of the code reads is just this."""
        request = ListMessages(code_hashes=[self.person.code_hash], limit=1)

        def shown() -> bool:
            items = self.broker_client.call("notify", "list_messages", request)["items"]
            assert items
            item = items[0]
            assert item["template"] == template
            assert item["text"] == text
            return True

        eventually(shown)
        seen.add(("citizen", "inbox", template))

    def staff(self, actor: Actor, audience: str, template: str, text: str, number: str | None) -> None:
        """The newest message of this member of staff is just this."""

        def shown() -> bool:
            items = self.broker_client.call("notify", "list_messages", ListMessages(actor=actor, limit=1))["items"]
            assert items
            item = items[0]
            assert (item["template"], item["text"], item["case_number"]) == (template, text, number)
            return True

        eventually(shown)
        seen.add((audience, "inbox", template))


def open_case(scene: Scene) -> None:
    person, language = scene.person, scene.language
    kind, code, office = WORD[language][person.kind], person.shown_code, OFFICE[language]
    scene.broker_client.publish_event(person.registered())
    scene.broker_client.publish_event(person.opened())
    if language is FA:
        scene.sms("registered", f"{kind} شما ثبت شد. کد رهگیری:\n{code}\nنتیجه تا {DAY[FA]}\n{office}")
        scene.inbox("registered", f"{kind} شما ثبت شد و در نوبت بررسی است. نتیجه تا {DAY[FA]} اعلام می‌شود.")
    else:
        scene.sms(
            "registered",
            f"Your {kind} is registered. Tracking code:\n{code}\nResult expected by {DAY[EN]}\n{office}",
        )
        scene.inbox(
            "registered",
            f"Your {kind} is registered and waits for its first reading. The result is expected by {DAY[EN]}.",
        )
