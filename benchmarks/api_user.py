"""What the load generator does as a citizen and as staff, over HTTP alone: it works with a system of any commit."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import httpx
import pyotp

from benchmarks import load
from tests.support.processes import eventually

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


class ApiUser:
    """One system's users. `codes`: tracking codes of cases whose status has not been requested yet; `filed`: reports accepted.

    `credentials`: the file in which seeding left the passwords of the demo's staff.
    """

    def __init__(self, url: str, credentials: Path) -> None:
        self.url = url
        self.codes: list[str] = []
        self.filed = 0
        self._credentials = credentials
        self._sessions: dict[str, StaffSession] = {}
        self._bodies = cycle(_submissions())

    # --- citizens ---

    def submission(self) -> bytes:
        """An anonymous report, as a request."""
        return next(self._bodies)

    def record_submission(self, answer: load.Answer) -> None:
        """Counts a submission and keeps the code in its answer."""
        self.filed += 1
        self.codes.append(between(answer.body, b'"tracking_code":"').replace(" ", ""))

    async def submit(self, connection: load.Connection, tally: load.Tally) -> None:
        """Files one report."""
        began = time.perf_counter()
        answer = await connection.request(self.submission())
        if tally.add(began, answer, CREATED):
            self.record_submission(answer)

    def file_until(self, number: int) -> None:
        """Files reports until there are so many codes."""

        async def file(connection: load.Connection) -> None:
            while len(self.codes) < number:
                self.record_submission(await connection.request(self.submission()))

        load.run(load.clients(self.url, CLIENTS, file))

    def take_codes(self, number: int) -> list[str]:
        """The first codes, which are taken out of `codes`."""
        codes, self.codes = self.codes[:number], self.codes[number:]
        return codes

    # --- staff ---

    def staff_session(self, username: str) -> StaffSession:
        """Signed in by password and TOTP; again when the session is about to expire."""
        session = self._sessions.get(username)
        if session is None or time.monotonic() - session.since > _SESSION:
            session = self._sessions[username] = eventually(lambda: self._sign_in(username), timeout=75)
        return session

    def _sign_in(self, username: str) -> StaffSession | None:
        account = json.loads(self._credentials.read_text())[username]
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
