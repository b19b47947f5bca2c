"""What notify's tests share: people with phones, what other services would say of their cases, notify's own database,
and notify's use cases under a clock that the test holds."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import text

from backbone import sealing
from backbone.storage.database import Database
from contracts import tracking, tracking_codes
from contracts.accounts import OtpRequested, SealedOtp
from contracts.base import now
from contracts.gateway import Contact, InboundSms, ReceiveSms, ReportDelivery
from contracts.intake import SubmissionRecoded, SubmissionRegistered
from contracts.tracking import CaseSnapshot, TrackedEvent
from contracts.vocabulary import Channel, Kind, Language, Stage
from deploy.local.sms_simulator.embedded import Simulator, running
from deploy.local.sms_simulator.settings import Settings as SimulatorSettings
from services.notify.delivery.rules import code_for_sms
from services.notify.delivery.use_cases import Sender
from services.notify.inbound.use_cases import Handset
from services.notify.inbox.use_cases import Inbox
from services.notify.notifications.use_cases import Notify
from services.notify.providers.kavenegar import Kavenegar
from services.notify.settings import Settings
from services.notify.wording.templates import lookup_texts
from tests.support.processes import prepared

API_KEY = "kavenegar-key"
LINE = "10008663"
EXPECTED = date(2026, 12, 14)  # 1405/09/23
TOLD_FA = "۱۴۰۵/۰۹/۲۳"

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
        """The next event that tracking tells of this case."""
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

    def asked(self) -> tracking.CitizenAsked:
        asked: tracking.CitizenAsked = self.event(
            tracking.CitizenAsked, Stage.AWAITING_CITIZEN, question_id=uuid4(), snapshot={"expected_on": None}
        )
        return asked

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

    def texts(self, text: str, provider_message_id: str | None = None, at: datetime | None = None) -> ReceiveSms:
        """What the gateway passes on when this phone texts the office's number."""
        box = sealing.seal(InboundSms(mobile="0" + self.phone.removeprefix("+98"), text=text), self.keys.public)
        return ReceiveSms(
            provider="kavenegar",
            provider_message_id=provider_message_id or str(uuid4()),
            sealed_message=box,
            received_at=at or now(),
        )


def one_time_code(keys: Keys, mobile: str, code: str, language: Language, expires_at: datetime) -> OtpRequested:
    box = sealing.seal(SealedOtp(mobile=mobile, code=code, language=language), keys.public)
    return OtpRequested(id=uuid4(), occurred_at=now(), sealed_code=box, expires_at=expires_at)


def delivery(message_id: object, status: int, at: datetime | None = None) -> ReportDelivery:
    return ReportDelivery(
        provider="kavenegar", provider_message_id=str(message_id), status=status, reported_at=at or now()
    )


class Rows:
    """Notify's database, read from outside."""

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
class Office:
    """Notify under the test's clock."""

    keys: Keys
    settings: Settings
    database: Database
    rows: Rows
    simulator: Simulator
    reserve: Simulator
    clock: datetime = NOON

    def __post_init__(self) -> None:
        self.notify = Notify(self.settings, self.now)
        self.handset = Handset(self.settings, self.now)
        self.inbox = Inbox()
        self.sender = self.another_sender()

    def now(self) -> datetime:
        return self.clock

    def another_sender(self, *, with_reserve: bool = False, timeout: float = 0.5) -> Sender:
        first = Kavenegar(base_url=self.simulator.url, api_key=API_KEY, sender=LINE, timeout=timeout, rest=60)
        second = Kavenegar(base_url=self.reserve.url, api_key="reserve-key", name="kavenegar-reserve", timeout=timeout)
        return Sender(self.settings, [first, second] if with_reserve else [first], self.now)

    def tell(self, *events: Any) -> None:
        with self.database.transaction() as connection:
            for event in events:
                if event.name == "submission.registered.v1":
                    self.notify.registered(connection, [event])
                elif event.name == "submission.recoded.v1":
                    self.notify.recoded(connection, event)
                elif event.name == "otp.requested.v1":
                    self.notify.otp_requested(connection, event)
                elif event.name == "staff.changed.v1":
                    self.notify.staff_changed(connection, event)
                elif event.name == "catalogue.changed.v1":
                    self.notify.catalogue(connection, event)
                else:
                    self.notify.case_events(connection, [event])

    def hear(self, *commands: Any) -> None:
        """What handsets text, answered."""
        for command in commands:
            with self.database.transaction() as connection:
                self.handset.receive_sms(connection, command)
        self.send()

    def outbox(self) -> list[tuple[str, dict[str, Any]]]:
        """Names and bodies of the events that notify tells, in order."""
        with self.database.read() as connection:
            rows = connection.execute(text("select name, convert_from(body, 'utf8') from outbox order by seq"))
            return [(name, json.loads(body)) for name, body in rows]

    def report(self, message_id: object, status: int) -> bool:
        with self.database.transaction() as connection:
            return self.handset.report_delivery(connection, delivery(message_id, status, self.clock))

    def send(self, sender: Sender | None = None) -> None:
        while (sender or self.sender).send_due(self.database):
            pass

    def later(self, **passed: float) -> None:
        self.clock += timedelta(**passed)

    def told(self, person: Person, simulator: Simulator | None = None) -> list[str]:
        """What the provider took for this phone."""
        return [one["text"] for one in (simulator or self.simulator).messages(person.phone, accepted=True)]


@dataclass
class Desk:
    """A migrated database, two providers, and secrets: an office is opened on it for each test."""

    environment: dict[str, str]
    database: Database
    simulator: Simulator
    reserve: Simulator

    def office(self) -> Office:
        """On empty tables, at noon."""
        self.simulator.reset()
        self.reserve.reset()
        tables = (
            "messages, contacts, erasures, cases, inbound, helped, opt_outs, readings, units, staff, texts,"
            " refusal_reasons"
        )
        with self.database.transaction() as connection:
            connection.execute(text(f"truncate {tables}, text_commands, inbox, outbox"))
        settings = Settings.model_validate({name.lower(): value for name, value in self.environment.items()})
        rows = Rows(self.environment["DATABASE_URL"])
        return Office(Keys(self.environment), settings, self.database, rows, self.simulator, self.reserve)


@contextmanager
def providers() -> Iterator[tuple[Simulator, Simulator]]:
    """Two providers over real HTTP."""
    first = SimulatorSettings(api_key=API_KEY, sender=LINE, port=0, step_delay=0.01, templates=lookup_texts())
    second = SimulatorSettings(api_key="reserve-key", sender="20001000", port=0, step_delay=0.01)
    with running(first) as simulator, running(second) as reserve:
        yield simulator, reserve


@contextmanager
def desks(amqp_url: str, server_url: str, name: str) -> Iterator[Desk]:
    """A desk that is cleared away again; `name` of its database."""
    with providers() as (simulator, reserve):
        environment = prepared(
            "notify",
            amqp_url,
            server_url,
            name,
            KAVENEGAR_BASE_URL=simulator.url,
            KAVENEGAR_API_KEY=API_KEY,
            SMS_SENDER=LINE,
        )
        database = Database(environment["DATABASE_URL"])
        try:
            yield Desk(environment, database, simulator, reserve)
        finally:
            database.close()
