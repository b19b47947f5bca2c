"""Notifications of webhooks, word for word, in fa and en."""

from __future__ import annotations

from uuid import uuid4

from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Language, Role
from contracts.webhooks import CreateWebhookSubscription
from services.notify.notifications.of_webhooks import WEBHOOKS
from tests.component.notify_words.scene import FA, Scene, unread
from tests.support.partner import open_partner


def test_administrators_are_notified_of_a_partner_that_is_sent_nothing_any_more(
    scene: Scene, language: Language
) -> None:
    administrator = Actor(
        kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.ADMINISTRATOR}), language=language
    )
    name = "سامانه ۱۳۷" if language is FA else "System 137"
    with open_partner() as partner:
        partner.status = 410  # gone
        request = CreateWebhookSubscription(
            actor=administrator, idempotency_key=uuid4().hex, name=name, url=partner.url, events=["case.opened"]
        )
        scene.broker_client.call("notify", "create_webhook_subscription", request)
        scene.broker_client.publish_event(scene.person.opened())
        if language is FA:
            text = (
                "ارسال رویدادها به سامانه همکار «سامانه ۱۳۷» متوقف شد، چون چند بار پیاپی پاسخ درست نداد. رویدادهای تازه تا "
                "۳۰ روز نگه داشته می‌شوند؛ پس از رفع مشکل، ارسال را دوباره فعال کنید."
            )
        else:
            text = (
                "Events are no longer sent to the partner system “System 137”, since it failed several times in a row. "
                "New ones are kept for 30 days: resume it when the cause is mended."
            )
        scene.staff(administrator, "administrator", "webhook_paused", text, None)


def test_every_notification_is_covered_by_this_module() -> None:
    assert unread(WEBHOOKS) == set()
