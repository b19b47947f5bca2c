"""What is measured: all of Peygir as in production, but for limits at the door, with the demo's staff signed in."""

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
    # All that is sent here comes from one address, and most of it is named by no case.
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
class Member:
    """A member of staff who is signed in."""

    staff_id: str
    token: str
    since: float


class Stand:
    """The system under measurement. `codes`: tracking codes of cases that nobody has asked for yet."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.url = system.gateway_url
        self.codes: list[str] = []
        self.filed = 0
        self._before, self._since = 0, None
        self._members: dict[str, Member] = {}
        self._bodies = cycle(_submissions())

    def submission(self) -> bytes:
        """An anonymous report, as a request."""
        return next(self._bodies)

    def pid(self, process: str) -> int:
        pid = self.system.process(process).pid
        assert pid is not None, f"{process} does not run"
        return pid

    def took(self, answer: load.Answer) -> None:
        """Notes the code in the answer to a submission."""
        self.filed += 1
        self.codes.append(between(answer.body, b'"tracking_code":"').replace(" ", ""))

    def fresh_codes(self, number: int) -> list[str]:
        """Codes of registered cases that nobody has asked for; more are filed when there are too few."""
        missing = number - len(self.codes)
        if missing > 0:

            async def file(connection: load.Connection) -> None:
                while len(self.codes) < number:
                    self.took(await connection.ask(self.submission()))

            load.run(load.clients(self.url, CLIENTS, file))
            self.settle()
        taken, self.codes = self.codes[:number], self.codes[number:]
        return taken

    # --- the databases and queues ---

    @cached_property
    def _tracking(self) -> psycopg.Connection[Any]:
        url = self.system.database_url("tracking").replace("+psycopg", "")
        return psycopg.connect(url, autocommit=True)

    def cases(self) -> int:
        """How many cases are open, or were."""
        query, since = "SELECT count(*) FROM cases", self._since
        row = self._tracking.execute(f"{query} WHERE filed_at > %s" if since else query, [since] if since else None)
        [(count,)] = row.fetchall()
        return self._before + int(count)

    def begin_here(self) -> None:
        """Counts from here on only what is filed from now on: to count a million again and again would be a load itself."""
        self._before, self._since = 0, None
        self.filed = self._before = self.cases()
        [(self._since,)] = self._tracking.execute("SELECT max(filed_at) FROM cases").fetchall()

    def settle(self, patience: float = 300.0) -> None:
        """Waits until every case is there, every queue empty, and nobody at work."""
        eventually(lambda: self.cases() >= self.filed, timeout=patience, why="not every submission became a case")
        with bus(self.system.amqp_url) as client:
            eventually(lambda: not any(map(client.depth, topology.SUBSCRIPTIONS)), timeout=patience, why="queues")
        machine.await_quiet(20)

    # --- staff ---

    def member(self, username: str) -> Member:
        """Signed in by password and TOTP, anew when the session grows old."""
        known = self._members.get(username)
        if known is None or time.monotonic() - known.since > _SESSION:
            known = self._members[username] = eventually(lambda: self._sign_in(username), timeout=75)
        return known

    def _sign_in(self, username: str) -> Member | None:
        one = json.loads((Path(self.system.state) / "credentials.json").read_text())[username]
        totp = pyotp.TOTP(one["totp_secret"]).now()
        with httpx.Client(base_url=self.url, timeout=30, trust_env=False) as http:
            entered = http.post(
                "/v1/auth/staff/tokens", json={"username": username, "password": one["password"], "totp": totp}
            )
            if entered.status_code != httpx.codes.OK:
                time.sleep(3)  # a TOTP code is good once; the account makes whoever fails wait
                return None
            token = entered.json()["access_token"]
            me = http.get("/v1/me", headers={"Authorization": f"Bearer {token}"}).json()
        return Member(me["id"], token, time.monotonic())


def start(folder: Path, say: Any, *, fresh: bool = True) -> System:
    """The system, started; whoever calls stops it. `folder` is emptied before, if it is to be `fresh`."""
    if fresh:
        remove(folder)
    for variable in ("AMQP_URL", "DATABASE_URL", "S3_ENDPOINT"):
        with suppress(KeyError):
            del os.environ[variable]  # everything is measured on this machine, with parts of our own
    return System(folder, environment=SETTINGS, say=say).start()


def between(text: bytes, mark: bytes, end: bytes = b'"') -> str:
    """What stands after `mark`, up to `end`: quicker than reading all the JSON."""
    at = text.index(mark) + len(mark)
    return text[at : text.index(end, at)].decode()


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
