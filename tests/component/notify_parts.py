"""What notify's tests share: people with phones, what other services would say of their cases, notify's own database."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row

from backbone import codes, crypto
from contracts import tracking
from contracts.accounts import OtpRequested, SealedOtp
from contracts.base import now
from contracts.gateway import Contact, InboundSms, ReceiveSms, ReportDelivery
from contracts.intake import SubmissionRecoded, SubmissionRegistered
from contracts.tracking import CaseSnapshot, TrackedEvent
from contracts.vocabulary import Channel, Kind, Language, Stage
from services.notify.domain import code_for_sms

API_KEY = "kavenegar-key"
LINE = "10008663"
EXPECTED = date(2026, 12, 14)  # 1405/09/23
TOLD_FA, TOLD_EN = "۱۴۰۵/۰۹/۲۳", "1405/09/23"

_numbers = itertools.count(1)


class Keys:
    """The secrets of one notify, as its producers use them. `environment` as `backbone.testing.prepared` makes it."""

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
        self.code = codes.mint(self.keys.mac)
        self.number = f"1405-{next(_numbers):06d}"
        self.sequence = 0

    @property
    def shown_code(self) -> str:
        return code_for_sms(self.code)

    @property
    def code_hash(self) -> str:
        return codes.hashes(self.code, self.keys.index)[0]

    @property
    def phone(self) -> str:
        assert self.mobile is not None
        return self.mobile

    def sealed(self) -> str | None:
        if self.mobile is None:
            return None
        return crypto.seal(
            Contact(mobile=self.mobile, code=self.code, language=self.language), self.keys.public
        )

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
            mobile_hash=crypto.keyed_hash(self.mobile, self.keys.mobile) if self.mobile else None,
            content_hash="0" * 64,
        )

    def recoded(self) -> SubmissionRecoded:
        """From here on the case has another code."""
        old = self.code_hash
        self.code = codes.mint(self.keys.mac)
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

    def texts(
        self, text: str, provider_message_id: str | None = None, at: datetime | None = None
    ) -> ReceiveSms:
        """What the gateway passes on when this phone texts the office's number."""
        box = crypto.seal(
            InboundSms(mobile="0" + self.phone.removeprefix("+98"), text=text), self.keys.public
        )
        return ReceiveSms(
            provider="kavenegar",
            provider_message_id=provider_message_id or str(uuid4()),
            sealed_message=box,
            received_at=at or now(),
        )


def one_time_code(
    keys: Keys, mobile: str, code: str, language: Language, expires_at: datetime
) -> OtpRequested:
    box = crypto.seal(SealedOtp(mobile=mobile, code=code, language=language), keys.public)
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
        return self._all(
            "select * from messages where case_id = %s and channel = %s order by at, id", case_id, channel
        )

    def sms(self, case_id: UUID, template: str) -> dict[str, Any]:
        (row,) = [row for row in self.of_case(case_id) if row["template"] == template]
        return row

    def of_event(self, event: str) -> list[dict[str, Any]]:
        return self._all("select * from messages where event = %s order by created_at", event)

    def everything(self) -> str:
        """All of the database as text, column by column."""
        tables = [
            row["tablename"]
            for row in self._all("select tablename from pg_tables where schemaname = 'public'")
        ]
        return "\n".join(str(row) for table in tables for row in self._all(f'select * from "{table}"'))

    def _all(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self._url, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[call-overload,no-any-return]  # ours
