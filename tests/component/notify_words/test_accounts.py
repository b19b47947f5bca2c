"""Notifications of accounts and opened identities, word for word, in fa and en."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.accounts import SignInFailuresNoted, StaffChangeState
from contracts.base import now
from contracts.gateway import Actor
from contracts.identities import IdentityAsked, IdentityDecided, IdentityEvent
from contracts.leaves import LeaveChanged
from contracts.notify import ListMessages
from contracts.own_account import AccountNews, AccountSecurityChanged
from contracts.staff_changes import StaffChangeDecided, StaffChangeEvent, StaffChangeRequested
from contracts.vocabulary import ActorKind, Kind, Language, Role
from services.notify.notifications.of_accounts import ACCOUNTS, IDENTITIES
from tests.component.notify_words.scene import FA, Scene, unread
from tests.support.notify import Keys, one_time_code


def test_a_one_time_code(scene: Scene, keys: Keys) -> None:
    scene.broker_client.publish_event(
        one_time_code(keys, scene.person.phone, "531864", scene.language, now() + timedelta(minutes=5))
    )
    if scene.language is FA:
        text = "کد ورود به پیگیر: 531864\nتا ۵ دقیقه معتبر است؛ لطفاً به کسی نگویید."
    else:
        text = "Your Peygir sign-in code: 531864\nIt is valid for 5 minutes. Please tell it to no one."
    scene.sms("one_time_code", text, "handset")


def test_whoever_is_away_and_the_heads_are_notified_of_a_deputy_who_is_lost(scene: Scene, language: Language) -> None:
    away = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.INSPECTOR}), language=language)
    head = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}), language=language)
    period = {"starts_at": now(), "ends_at": now(), "deputy": uuid4(), "staff_id": UUID(away.id)}
    leave = LeaveChanged(id=uuid4(), occurred_at=now(), leave_id=uuid4(), version=2, unfit=True, **period)
    scene.broker_client.publish_event(leave)
    text = (
        "جانشین یک مرخصی دیگر نمی‌تواند به جای همکار غایب کار کند و آن مرخصی پایان یافت. لطفاً جانشین دیگری نام ببرید."
        if language is FA
        else "The deputy of a leave of absence can no longer stand in, and the leave was ended. Please name another deputy."
    )
    for reader in (away, head):
        scene.staff(reader, "account_owner", "leave_without_deputy", text, None)


def test_custodians_and_the_requester_are_notified_of_an_identity_and_not_of_which_case(
    scene: Scene, language: Language
) -> None:
    fa, person = language is FA, scene.person
    asker = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.HEAD}), language=language)
    custodian = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.CUSTODIAN}), language=language)
    about = {"case_id": person.case_id, "request_id": uuid4(), "kind": Kind.COMPLAINT, "asked_by": UUID(asker.id)}

    def publish(event: type[IdentityEvent], **more: Any) -> None:
        made = event.model_validate({"id": uuid4(), "occurred_at": now(), **about, **more})
        scene.broker_client.publish_event(made)
        scene.broker_client.publish_event(made)  # an event that comes twice notifies once

    publish(IdentityAsked)
    needed = "دیدن هویت ثبت‌کننده یک شکایت به موافقت شما نیاز دارد."
    waits = "A request to see who filed a complaint waits for your consent."
    scene.staff(custodian, "custodian", "identity_asked", needed if fa else waits, None)
    publish(IdentityDecided, open_until=now())
    given = "با دیدن هویت ثبت‌کننده یک شکایت که خواسته بودید موافقت شد."
    consented = "Your request to see who filed a complaint was consented to."
    scene.staff(asker, "requester", "identity_consented", given if fa else consented, None)
    publish(IdentityDecided)
    kept = "با دیدن هویت ثبت‌کننده یک شکایت که خواسته بودید موافقت نشد."
    scene.staff(
        asker,
        "requester",
        "identity_kept",
        kept if fa else "Your request to see who filed a complaint was refused.",
        None,
    )
    items = scene.broker_client.call("notify", "list_messages", ListMessages(actor=asker))["items"]
    templates = [item["template"] for item in items if item["case_id"] == str(person.case_id)]
    assert templates == ["identity_kept", "identity_consented"]


def test_the_owner_of_an_account_that_others_try_is_notified(scene: Scene, language: Language) -> None:
    owner = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.SCREENER}), language=language)
    noted = SignInFailuresNoted(id=uuid4(), occurred_at=now(), staff_id=UUID(owner.id), failures=5)
    scene.broker_client.publish_event(noted)
    if language is FA:
        text = (
            "چند بار پیاپی با نام کاربری شما و گذرواژه یا کد ورود نادرست برای ورود تلاش شده است. اگر شما نبوده‌اید، "
            "به راهبر سامانه خبر دهید. با دستگاهی که پیش‌تر با آن وارد شده‌اید همچنان می‌توانید وارد شوید."
        )
    else:
        text = (
            "Somebody tried several times in a row to sign in under your user name with a wrong password or code. "
            "If it was not you, tell the administrator. You can still sign in with a device that you signed in with before."
        )
    scene.staff(owner, "account_owner", "sign_in_failures", text, None)


YOU = {
    FA: "اگر شما نبوده‌اید، بی‌درنگ به راهبر سامانه خبر دهید.",
    Language.EN: "If it was not you, tell the administrator at once.",
}
NEWS: dict[AccountNews, dict[Language, str]] = {
    "password_changed": {
        FA: "گذرواژه حساب شما تغییر کرد و نشست‌های دیگر پایان یافت.",
        Language.EN: "The password of your account was changed, and your other sessions ended.",
    },
    "totp_enrolled": {
        FA: "برنامه کدساز دیگری برای حساب شما ثبت شد؛ کدهای برنامه پیشین دیگر پذیرفته نمی‌شود.",
        Language.EN: "Another authenticator app was enrolled for your account; codes of the one before are no longer accepted.",
    },
    "totp_removed": {
        FA: "برنامه کدساز از حساب شما برداشته شد.",
        Language.EN: "The authenticator app was removed from your account.",
    },
    "passkey_added": {
        FA: "کلید عبور تازه‌ای برای حساب شما ثبت شد.",
        Language.EN: "A passkey was added to your account.",
    },
    "passkey_removed": {
        FA: "یک کلید عبور از حساب شما برداشته شد.",
        Language.EN: "A passkey was removed from your account.",
    },
    "recovery_codes_renewed": {
        FA: "کدهای بازیابی تازه‌ای برای حساب شما ساخته شد؛ کدهای پیشین باطل است.",
        Language.EN: "New recovery codes were made for your account; those of before are void.",
    },
    "recovery_code_used": {
        FA: "یک کد بازیابی برای ورود به حساب شما به کار رفت؛ ۹ کد دیگر مانده است.",
        Language.EN: "A recovery code was used for your account; 9 are left.",
    },
}


def test_the_owner_of_an_account_is_notified_of_what_was_changed_about_signing_in(
    scene: Scene, language: Language
) -> None:
    owner = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.SCREENER}), language=language)
    for what, texts in NEWS.items():
        left = 9 if what == "recovery_code_used" else None
        changed = AccountSecurityChanged(
            id=uuid4(), occurred_at=now(), staff_id=UUID(owner.id), what=what, codes_left=left
        )
        scene.broker_client.publish_event(changed)
        scene.staff(owner, "account_owner", what, f"{texts[language]} {YOU[language]}", None)


def test_custodians_are_notified_of_every_change_that_takes_two_administrators(
    scene: Scene, language: Language
) -> None:
    fa, broker_client = language is FA, scene.broker_client
    custodian, administrator = (
        Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role}), language=language)
        for role in (Role.CUSTODIAN, Role.ADMINISTRATOR)
    )
    username = f"head-{language}"
    account = f"\u2066{username}\u2069" if fa else username
    asker, decider = ("مریم کاظمی", "رضا نادری") if fa else ("Maryam Kazemi", "Reza Naderi")
    who = f"{account} (مدیر بازرسی)" if fa else f"{account} (head of inspection)"
    both = f"{account} (مدیر بازرسی، امین هویت)" if fa else f"{account} (head of inspection, custodian of identities)"
    requester = {"asked_by": uuid4(), "asked_by_name": asker}
    decided = {"decided_by": uuid4(), "decided_by_name": decider}
    templates: list[str] = []

    def publish(event: type[StaffChangeEvent], action: str, roles: list[Role], **more: Any) -> None:
        about = {"change_id": uuid4(), "staff_id": uuid4(), "action": action, "username": username, "roles": roles}
        made = event.model_validate({"id": uuid4(), "occurred_at": now(), **about, **more})
        broker_client.publish_event(made)
        broker_client.publish_event(made)  # an event that comes twice notifies once

    def custodians(template: str, in_fa: str, in_en: str) -> None:
        scene.staff(custodian, "custodian", template, in_fa if fa else in_en, None)
        templates.append(template)

    def waits(whose: str) -> None:
        text = (
            f"{asker} تغییر حساب {whose} را خواسته است و تأیید راهبر دیگری لازم است."
            if fa
            else f"{asker} asked for a change of the account {whose}; it needs another administrator's confirmation."
        )
        scene.staff(administrator, "administrator", "staff_change_waits", text, None)

    publish(StaffChangeRequested, "add", [Role.HEAD], **requester)
    custodians(
        "staff_grant_requested",
        f"{asker} برای حساب {account} نقش خواسته است: مدیر بازرسی. پیش از تأیید راهبر دوم اثری ندارد.",
        f"{asker} asked for these roles for the account {account}: head of inspection. "
        "It has no effect until a second administrator confirms.",
    )
    waits(who)
    publish(StaffChangeRequested, "reset_credentials", [Role.HEAD, Role.CUSTODIAN], **requester)
    custodians(
        "staff_reset_requested",
        f"{asker} برای حساب {both} گذرواژه و کد ورود تازه خواسته است. پیش از تأیید راهبر دوم اثری ندارد.",
        f"{asker} asked for a new password and sign-in codes of the account {both}. "
        "It has no effect until a second administrator confirms.",
    )
    waits(both)
    publish(StaffChangeDecided, "add", [Role.HEAD], **requester, **decided, state=StaffChangeState.CONFIRMED)
    custodians(
        "staff_change_confirmed",
        f"تغییر حساب {who} که {asker} خواسته بود به تأیید {decider} رسید و انجام شد.",
        f"The change of the account {who} that {asker} asked for was confirmed by {decider} and is done.",
    )
    publish(StaffChangeDecided, "add", [Role.HEAD], **requester, **decided, state=StaffChangeState.DENIED)
    custodians(
        "staff_change_denied",
        f"تغییر حساب {who} که {asker} خواسته بود با مخالفت {decider} روبه‌رو شد و انجام نشد.",
        f"The change of the account {who} that {asker} asked for was denied by {decider}; nothing was changed.",
    )
    for state, whose, roles in (
        (StaffChangeState.CANCELLED, who, [Role.HEAD]),
        (StaffChangeState.EXPIRED, both, [Role.HEAD, Role.CUSTODIAN]),
    ):
        publish(StaffChangeDecided, "change", roles, **requester, state=state)
        custodians(
            "staff_change_dropped",
            f"تغییر حساب {whose} که {asker} خواسته بود پس گرفته شد یا مهلت آن گذشت، و انجام نشد.",
            f"The change of the account {whose} that {asker} asked for was withdrawn or not confirmed in time; "
            "nothing was changed.",
        )
    publish(StaffChangeDecided, "add", [Role.HEAD], state=StaffChangeState.CONFIRMED)
    custodians(
        "staff_change_on_server",
        f"حساب {who} با فرمانی روی سرور ساخته یا تغییر داده شد.",
        f"The account {who} was made or changed by a command on the server.",
    )

    def of_this_account(reader: Actor) -> list[str]:
        items = broker_client.call("notify", "list_messages", ListMessages(actor=reader))["items"]
        return [item["template"] for item in reversed(items) if username in item["text"]]

    assert of_this_account(custodian) == templates
    assert of_this_account(administrator) == ["staff_change_waits", "staff_change_waits"]


def test_every_notification_is_covered_by_this_module() -> None:
    assert unread((*IDENTITIES, *ACCOUNTS)) == set()
