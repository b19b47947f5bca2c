"""What notify's tests share: people with phones, the events that other services publish of their cases, notify's own
database, and notify's use cases under a clock that the test sets."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import text

from backbone import sealing
from backbone.storage.database import Database
from contracts import tracking, tracking_codes
from contracts.accounts import OtpRequested, SealedOtp
from contracts.base import now
from contracts.gateway import Contact, PushKind, ReceiveSmsPush, SmsPush
from contracts.intake import SubmissionRecoded, SubmissionRegistered
from contracts.tracking import CaseSnapshot, TrackedEvent
from contracts.vocabulary import Channel, Kind, Language, Stage
from deploy.local.sms_simulator.embedded import Simulator, running
from deploy.local.sms_simulator.settings import Settings as SimulatorSettings
from services.notify.composition import NotifyApp, compose
from services.notify.delivery.use_cases import MessageSender
from services.notify.providers.kavenegar import Kavenegar
from services.notify.providers.protocol import SmsProvider
from services.notify.settings import Settings
from services.notify.wording.rules import code_for_sms
from services.notify.wording.templates import approved_texts
from tests.support.processes import prepared

API_KEY = "kavenegar-key"
LINE = "10008663"
EXPECTED = date(2026, 12, 14)  # 1405/09/23
EXPECTED_FA = "۱۴۰۵/۰۹/۲۳"

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # 15:30 in Tehran
NIGHT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)  # 23:30
MORNING = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)  # 7:00

_numbers = itertools.count(1)


class Keys:
    """The secrets of one notify, as its producers use them. `environment` as `tests.support.processes.prepared` makes it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.mac = [bytes.fromhex(environment["CODE_MAC_KEYS"])]
        self.index = [bytes.fromhex(environment["CODE_INDEX_KEYS"])]
        self.mobile = bytes.fromhex(environment["MOBILE_INDEX_KEY"])
        self.public = bytes.fromhex(environment["NOTIFY_PUBLIC_KEY"])


@dataclass
class Person:
    """Somebody with a phone (or, `mobile` None, without) and one case."""

    keys: Keys
    language: Language = Language.FA
    kind: Kind = Kind.COMPLAINT
    mobile: str | None = field(default_factory=lambda: f"+98912{next(_numbers):07d}")
    citizen_id: UUID | None = None
    unit: str = "roads"
    case_id: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        self.code = tracking_codes.mint(self.keys.mac)
        self.number = f"1405-{next(_numbers):06d}"
        self.sequence = 0

    @property
    def shown_code(self) -> str:
        return code_for_sms(self.code)

    @property
    def code_hash(self) -> str:
        return tracking_codes.hashes(self.code, self.keys.index)[0]

    @property
    def phone(self) -> str:
        assert self.mobile is not None
        return self.mobile

    def sealed(self) -> str | None:
        if self.mobile is None:
            return None
        return sealing.seal(Contact(mobile=self.mobile, code=self.code, language=self.language), self.keys.public)

    def registered(self) -> SubmissionRegistered:
        return SubmissionRegistered(
            id=uuid4(),
            occurred_at=now(),
            case_id=self.case_id,
            code_hash=self.code_hash,
            kind=self.kind,
            unit=self.unit,
            unit_asked=self.unit,
            ground="weak_service",
            text="آسفالت کوچه ما را رها کرده‌اند",
            channel=Channel.WEB,
            language=self.language,
            filed_at=now(),
            anonymous=self.mobile is None,
            citizen_id=self.citizen_id,
            sealed_contact=self.sealed(),
            mobile_hash=sealing.keyed_hash(self.mobile, self.keys.mobile) if self.mobile else None,
            content_hash="0" * 64,
        )

    def recoded(self) -> SubmissionRecoded:
        """From here on the case has another code."""
        old = self.code_hash
        self.code = tracking_codes.mint(self.keys.mac)
        return SubmissionRecoded(
            id=uuid4(),
            occurred_at=now(),
            case_id=self.case_id,
            old_code_hash=old,
            code_hash=self.code_hash,
            sealed_contact=self.sealed(),
        )

    def event(
        self, cls: type[TrackedEvent], stage: Stage, *, snapshot: dict[str, Any] | None = None, **more: Any
    ) -> Any:
        """The next event that tracking publishes of this case."""
        self.sequence += 1
        state = {
            "number": self.number,
            "kind": self.kind,
            "unit": self.unit,
            "ground": "weak_service",
            "stage": stage,
            "anonymous": self.mobile is None,
            "channel": Channel.WEB,
            "filed_at": now(),
            "expected_on": EXPECTED,
            **(snapshot or {}),
        }
        return cls(
            id=uuid4(),
            occurred_at=now(),
            case_id=self.case_id,
            sequence=self.sequence,
            state=CaseSnapshot.model_validate(state),
            **more,
        )

    def opened(self) -> tracking.CaseOpened:
        opened: tracking.CaseOpened = self.event(tracking.CaseOpened, Stage.REGISTERED)
        return opened

    def citizen_asked(self) -> tracking.CitizenAsked:
        event: tracking.CitizenAsked = self.event(
            tracking.CitizenAsked, Stage.AWAITING_CITIZEN, question_id=uuid4(), snapshot={"expected_on": None}
        )
        return event

    def decided(self, outcome: str = "upheld", *, final: bool = False, until: date | None = None) -> Any:
        snapshot = {"outcome": outcome, "expected_on": None}
        return self.event(
            tracking.CaseDecided,
            Stage.DECIDED,
            snapshot=snapshot,
            outcome=outcome,
            final=final,
            objection_until=until,
        )

    def withdrawn(self) -> Any:
        return self.event(tracking.CaseWithdrawn, Stage.WITHDRAWN, snapshot={"expected_on": None})

    def texts(self, text: str, provider_message_id: str | None = None, at: datetime | None = None) -> ReceiveSmsPush:
        """What the gateway publishes when this phone texts the office's number."""
        fields = {"from": "0" + self.phone.removeprefix("+98"), "message": text}
        return push(self.keys, PushKind.INBOUND, fields, provider_message_id or str(uuid4()), at)


def one_time_code(keys: Keys, mobile: str, code: str, language: Language, expires_at: datetime) -> OtpRequested:
    box = sealing.seal(SealedOtp(mobile=mobile, code=code, language=language), keys.public)
    return OtpRequested(id=uuid4(), occurred_at=now(), sealed_code=box, expires_at=expires_at)


def push(
    keys: Keys, kind: PushKind, fields: dict[str, str], message_id: object, at: datetime | None = None
) -> ReceiveSmsPush:
    """A push of Kavenegar's as the gateway publishes it."""
    body = urlencode({**fields, "messageid": str(message_id)}).encode()
    pushed = SmsPush(kind=kind, content_type="application/x-www-form-urlencoded", body=body)
    sealed = sealing.seal(pushed, keys.public)
    return ReceiveSmsPush(provider="kavenegar", sealed_push=sealed, received_at=at or now())


def delivery_receipt(keys: Keys, message_id: object, status: int, at: datetime | None = None) -> ReceiveSmsPush:
    return push(keys, PushKind.DELIVERY, {"status": str(status)}, message_id, at)


class Rows:
    """Notify's database, read by SQL."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("+psycopg", "")

    def of_case(self, case_id: UUID, channel: str = "sms") -> list[dict[str, Any]]:
        return self._all("select * from messages where case_id = %s and channel = %s order by at, id", case_id, channel)

    def sms(self, case_id: UUID, template: str) -> dict[str, Any]:
        (row,) = [row for row in self.of_case(case_id) if row["template"] == template]
        return row

    def of_event(self, event: str) -> list[dict[str, Any]]:
        return self._all("select * from messages where event = %s order by created_at", event)

    def everything(self) -> str:
        """All of the database as text, column by column."""
        tables = [row["tablename"] for row in self._all("select tablename from pg_tables where schemaname = 'public'")]
        return "\n".join(str(row) for table in tables for row in self._all(f'select * from "{table}"'))

    def _all(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self._url, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()


@dataclass
class NotifyFixture:
    """Notify's use cases on a real database, under the test's clock."""

    keys: Keys
    settings: Settings
    database: Database
    rows: Rows
    simulator: Simulator
    reserve: Simulator
    clock: datetime = NOON

    def __post_init__(self) -> None:
        self.app = self.another_app()

    def now(self) -> datetime:
        return self.clock

    def configured(self, *names: str) -> NotifyFixture:
        """The same with the providers that the environment configures under these names."""
        self.settings = self.settings.model_copy(update={"sms_providers": list(names)})
        self.app = compose(self.settings, clock=self.now)
        return self

    def another_app(
        self,
        providers: Sequence[SmsProvider] = (),
        *,
        with_reserve: bool = False,
        timeout: float = 0.5,
        settings: Settings | None = None,
    ) -> NotifyApp:
        """As another process would have it; with Kavenegar's simulator unless other providers are given."""
        first = Kavenegar(base_url=self.simulator.url, api_key=API_KEY, sender=LINE, timeout=timeout)
        second = Kavenegar(base_url=self.reserve.url, api_key="reserve-key", name="kavenegar-reserve", timeout=timeout)
        simulators = [first, second] if with_reserve else [first]
        return compose(settings or self.settings, list(providers) or simulators, self.now)

    def another_sender(
        self, providers: Sequence[SmsProvider] = (), *, with_reserve: bool = False, timeout: float = 0.5
    ) -> MessageSender:
        return self.another_app(providers, with_reserve=with_reserve, timeout=timeout).sender

    def publish(self, *events: Any) -> None:
        """Each of these events, handled as the service does."""
        notifications = self.app.notifications
        handlers: dict[str, tuple[Any, Any]] = {
            "submission.registered.v1": (self.database.statements, notifications.submissions_registered),
            "submission.recoded.v1": (self.database.transaction, notifications.contact_changed),
            "submission.claimed.v1": (self.database.transaction, notifications.contact_changed),
            "submission.disowned.v1": (self.database.transaction, notifications.contact_changed),
            "otp.requested.v1": (self.database.statements, notifications.otp_requested),
            "staff.changed.v1": (self.database.transaction, notifications.staff_changed),
            "leave.changed.v1": (self.database.transaction, notifications.staff_changed),
            "catalogue.changed.v1": (self.database.transaction, notifications.catalogue_changed),
        }
        in_batches = ("submission.registered.v1", "case.", "visit.")
        for event in events:
            session, handle = handlers.get(event.name, (self.database.statements, notifications.case_events))
            with session() as connection:
                handle(connection, [event] if event.name.startswith(in_batches) else event)

    def push(self, *commands: ReceiveSmsPush) -> None:
        """What the provider pushes, answered."""
        for command in commands:
            with self.database.transaction() as connection:
                received = self.app.pushes.receive(connection, command)
                assert (received.complete, received.error) == (True, None)
        self.send()

    def outbox(self) -> list[tuple[str, dict[str, Any]]]:
        """Names and bodies of the events that notify publishes, in order."""
        with self.database.read() as connection:
            rows = connection.execute(text("select name, convert_from(body, 'utf8') from outbox order by seq"))
            return [(name, json.loads(body)) for name, body in rows]

    def send_pushes(self) -> None:
        while self.app.push_sender.send_due(self.database):
            pass

    def receipt(self, message_id: object, status: int) -> bool:
        """Pushes a delivery receipt; False when its message is not known yet."""
        with self.database.transaction() as connection:
            receipt = delivery_receipt(self.keys, message_id, status, self.clock)
            return self.app.pushes.receive(connection, receipt).complete

    def send(self, sender: MessageSender | None = None) -> None:
        while (sender or self.app.sender).send_due(self.database):
            pass

    def poll(self) -> int:
        return self.app.polling.poll(self.database)

    def later(self, **passed: float) -> None:
        self.clock += timedelta(**passed)

    def sms_of(self, person: Person, simulator: Simulator | None = None) -> list[str]:
        """The texts that the provider accepted for this phone."""
        messages = (simulator or self.simulator).messages(person.phone, accepted=True)
        return [message["text"] for message in messages]


@dataclass
class NotifyEnvironment:
    """A migrated database, two providers, and secrets, for the tests of one module."""

    environment: dict[str, str]
    database: Database
    simulator: Simulator
    reserve: Simulator

    def fixture(self) -> NotifyFixture:
        """For one test: on empty tables, at noon."""
        self.simulator.reset()
        self.reserve.reset()
        tables = (
            "messages, contacts, erasures, cases, inbound, open_replies, help_replies, opt_outs, readings, units, staff, texts,"
            " refusal_reasons, leaves, webhook_subscriptions, webhook_deliveries, webhook_commands, pushes, push_subscriptions,"
            " preferences"
        )
        with self.database.transaction() as connection:
            connection.execute(text(f"truncate {tables}, text_commands, inbox, outbox"))
        settings = Settings.model_validate({name.lower(): value for name, value in self.environment.items()})
        rows = Rows(self.environment["DATABASE_URL"])
        return NotifyFixture(Keys(self.environment), settings, self.database, rows, self.simulator, self.reserve)


@contextmanager
def providers() -> Iterator[tuple[Simulator, Simulator]]:
    """Two providers over real HTTP."""
    first = SimulatorSettings(api_key=API_KEY, sender=LINE, port=0, step_delay=0.01, templates=approved_texts())
    second = SimulatorSettings(api_key="reserve-key", sender="20001000", port=0, step_delay=0.01)
    with running(first) as simulator, running(second) as reserve:
        yield simulator, reserve


def environment_of(amqp_url: str, server_url: str, name: str, simulator: Simulator, **more: str) -> dict[str, str]:
    """Of a notify that sends by this simulator; `name`: of its database."""
    provider = {"KAVENEGAR_BASE_URL": simulator.url, "KAVENEGAR_API_KEY": API_KEY, "SMS_SENDER": LINE}
    return prepared("notify", amqp_url, server_url, name, **provider, **more)


@contextmanager
def open_notify_environment(amqp_url: str, server_url: str, name: str) -> Iterator[NotifyEnvironment]:
    """`name`: of its database."""
    with providers() as (simulator, reserve):
        environment = environment_of(amqp_url, server_url, name, simulator)
        database = Database(environment["DATABASE_URL"])
        try:
            yield NotifyEnvironment(environment, database, simulator, reserve)
        finally:
            database.close()
