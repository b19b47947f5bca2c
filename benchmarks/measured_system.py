"""The system under measurement: all of Peygir as in production, except without limits, and with the demo's staff signed in."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyotp

from backbone.messaging import topology
from benchmarks import load, machine
from deploy.local.processes import System, remove
from tests.support.processes import bus, eventually

SETTINGS = {
    "LOG_LEVEL": "warning",
    **{
        f"LIMIT_{name}": "off"
        for name in (
            *("SUBMISSIONS", "CODES", "ONE_CODE", "BAD_CODES", "SIGN_IN", "REFRESH", "SESSION", "ANONYMOUS"),
            "UPLOAD_MEGABYTES",
        )
    },
    # All uploads come from one address here, and most of them belong to no case.
    "MEDIA_ADDRESS_BYTES": str(64 * 1024**3),
    "MEDIA_QUARANTINE_BYTES": str(64 * 1024**3),
    "MEDIA_ADDRESS_FILES": "100000",
    "MEDIA_OPEN_UPLOADS": "100000",
}
CLIENTS = 50
CREATED = 201
_SESSION = 600.0  # seconds; an access token lives for 900
_PLACES = ("خیابان فلسطین", "میدان آزادی", "بلوار نوروزیان", "کوی دانشگاه", "بازار", "خیابان نادری", "مینودر")
_MATTERS = (
    ("waste", "آسفالت تازه دوباره کنده شده و مصالح آن چند روز است که کنار پیاده‌رو رها مانده و شب‌ها برده می‌شود."),
    ("waste", "خودروی عمرانی شهرداری روزهای تعطیل برای کار شخصی برده می‌شود و سوخت آن از جایگاه اداره است."),
    ("other", "برای جلو انداختن نوبت بازدید کارشناسی از من پول خواستند و رسیدی هم ندادند؛ دو نفر دیگر هم دیدند."),
    ("other", "پیمانکار فضای سبز با مسئول ناظر خویشاوند است و کاری که انجام نشده صورت‌وضعیت گرفته است."),
)


@dataclass(frozen=True)
class StaffSession:
    """A signed-in staff account."""

    staff_id: str
    token: str
    since: float


class MeasuredSystem:
    """`codes`: tracking codes of cases whose status has not been requested yet."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.url = system.gateway_url
        self.codes: list[str] = []
        self.filed = 0
        self._before, self._since = 0, None
        self._sessions: dict[str, StaffSession] = {}
        self._bodies = cycle(_submissions())

    def submission(self) -> bytes:
        """An anonymous report, as a request."""
        return next(self._bodies)

    def pid(self, process: str) -> int:
        pid = self.system.process(process).pid
        assert pid is not None, f"{process} does not run"
        return pid

    def record_submission(self, answer: load.Answer) -> None:
        """Counts a submission and keeps the code in its answer."""
        self.filed += 1
        self.codes.append(between(answer.body, b'"tracking_code":"').replace(" ", ""))

    def fresh_codes(self, number: int) -> list[str]:
        """Codes of registered cases whose status has not been requested; files more when there are too few."""
        missing = number - len(self.codes)
        if missing > 0:

            async def file(connection: load.Connection) -> None:
                while len(self.codes) < number:
                    self.record_submission(await connection.request(self.submission()))

            load.run(load.clients(self.url, CLIENTS, file))
            self.settle()
        codes, self.codes = self.codes[:number], self.codes[number:]
        return codes

    # --- the databases and queues ---

    @cached_property
    def _tracking(self) -> psycopg.Connection[Any]:
        url = self.system.database_url("tracking").replace("+psycopg", "")
        return psycopg.connect(url, autocommit=True)

    def cases(self) -> int:
        """How many cases there are, open or closed."""
        query, since = "SELECT count(*) FROM cases", self._since
        row = self._tracking.execute(f"{query} WHERE filed_at > %s" if since else query, [since] if since else None)
        [(count,)] = row.fetchall()
        return self._before + int(count)

    def count_from_here(self) -> None:
        """From now on counts only new cases: counting a million again and again would be a load itself."""
        self._before, self._since = 0, None
        self.filed = self._before = self.cases()
        [(self._since,)] = self._tracking.execute("SELECT max(filed_at) FROM cases").fetchall()

    def settle(self, patience: float = 300.0) -> None:
        """Waits until every case exists, all queues are empty and the machine is idle."""
        eventually(lambda: self.cases() >= self.filed, timeout=patience, why="not every submission became a case")
        with bus(self.system.amqp_url) as client:
            eventually(lambda: not any(map(client.depth, topology.SUBSCRIPTIONS)), timeout=patience, why="queues")
        machine.await_idle(20)

    # --- staff ---

    def staff_session(self, username: str) -> StaffSession:
        """Signed in by password and TOTP; again when the session is about to expire."""
        session = self._sessions.get(username)
        if session is None or time.monotonic() - session.since > _SESSION:
            session = self._sessions[username] = eventually(lambda: self._sign_in(username), timeout=75)
        return session

    def _sign_in(self, username: str) -> StaffSession | None:
        account = json.loads((Path(self.system.state) / "credentials.json").read_text())[username]
        totp = pyotp.TOTP(account["totp_secret"]).now()
        with httpx.Client(base_url=self.url, timeout=30, trust_env=False) as http:
            answer = http.post(
                "/v1/auth/staff/tokens", json={"username": username, "password": account["password"], "totp": totp}
            )
            if answer.status_code != httpx.codes.OK:
                time.sleep(3)  # a TOTP code works once, and a failed attempt delays the next
                return None
            token = answer.json()["access_token"]
            me = http.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).json()
        return StaffSession(me["id"], token, time.monotonic())


def start(folder: Path, say: Any, *, fresh: bool = True) -> System:
    """Starts the system; the caller stops it. `fresh`: `folder` is emptied before."""
    if fresh:
        remove(folder)
    for variable in ("AMQP_URL", "DATABASE_URL", "S3_ENDPOINT"):
        with suppress(KeyError):
            del os.environ[variable]  # everything is measured on this machine, with private servers
    return System(folder, environment=SETTINGS, report=say).start()


def between(text: bytes, mark: bytes, end: bytes = b'"') -> str:
    """The text between `mark` and `end`: faster than parsing the JSON."""
    start = text.index(mark) + len(mark)
    return text[start : text.index(end, start)].decode()


def _submissions() -> list[bytes]:
    return [
        load.request("POST", "/v1/submissions", {}, json.dumps(body, ensure_ascii=False).encode())
        for place in _PLACES
        for ground, matter in _MATTERS
        for body in [
            {
                "kind": "information",
                "unit": "dep.civ.roads",
                "ground": ground,
                "text": f"{place}: {matter}",
                "consent": True,
                "language": "fa",
            }
        ]
    ]
