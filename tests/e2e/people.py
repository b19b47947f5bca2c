"""The people of the end-to-end tests: citizens with their phones and codes, staff with their desks."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp

from backbone.persian import jalali
from contracts.base import now
from deploy.demo.phones import Phone
from deploy.local.processes import System
from tests.support.processes import eventually

JSON = dict[str, Any]
UNIT = "dep.urb.permits"


class Caller:
    """Speaks to the gateway as one person does: with a token, a code or neither, in one language."""

    def __init__(self, http: httpx.Client, language: str = "fa", token: str = "", code: str = "") -> None:
        self._http, self.language, self.token, self.code = http, language, token, code

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Accept-Language": self.language, **more.pop("headers", {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.code:
            headers["Tracking-Code"] = self.code
        return self._http.request(method, path, headers=headers, **more)

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.request("GET", path, params=params)

    def post(self, path: str, body: JSON, key: str | None = None, version: int | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self.request("POST", path, json=body, headers=headers)

    def upload(self, content: bytes, name: str = "photo.jpg", media_type: str = "image/jpeg") -> str:
        """By tus, in two chunks; the upload's id."""
        pairs = {"filename": name, "filetype": media_type}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        tus = {"Tus-Resumable": "1.0.0"}
        made = self.request(
            "POST", "/v1/uploads", headers={**tus, "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
        )
        assert made.status_code == 201, made.text
        place = httpx.URL(made.headers["Location"]).path
        half = len(content) // 2
        for start, end in ((0, half), (half, len(content))):
            headers = {**tus, "Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"}
            sent = self.request("PATCH", place, content=content[start:end], headers=headers)
            assert sent.status_code == 204, sent.text
        return place.rsplit("/", 1)[1]


def good(answer: httpx.Response, status: int = 200) -> Any:
    """The answer's JSON, when it is the expected status."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    return answer.json()


@dataclass
class Case:
    """A submission as its citizen holds it. `code`: 16 digits."""

    code: str
    holder: Caller
    submission_id: str
    filed: JSON

    @property
    def dashed(self) -> str:
        return "-".join(self.code[at : at + 4] for at in range(0, 16, 4))

    def view(self) -> JSON:
        """What the code shows, once the case is registered."""

        def shown() -> JSON | None:
            answer: JSON = good(self.holder.get("/v1/tracking"))
            return None if answer["stage"] == "registering" else answer

        case_view = eventually(shown, why="the case is not registered")
        assert case_view is not None
        return case_view

    def view_at(self, stage: str) -> JSON:
        """The same when the case has come to this stage."""

        def at_stage() -> JSON:
            view = self.view()
            assert view["stage"] == stage, view["stage"]
            return view

        return eventually(at_stage)

    def inbox(self) -> list[str]:
        """The messages read with the code, oldest first."""
        items = good(self.holder.get("/v1/tracking/messages"))["items"]
        return [item["text"] for item in reversed(items)]

    def await_inbox(self, expected: list[str]) -> None:
        """Until the inbox says exactly this: a date is filled in when it is known."""

        def same() -> bool:
            messages = self.inbox()
            assert messages == expected
            return True

        eventually(same)


@dataclass
class Officer:
    """A member of staff. Each command carries the version that was just read."""

    username: str
    caller: Caller
    staff_id: str

    def read(self, case_id: str) -> JSON:
        case: JSON = good(self.caller.get(f"/v1/cases/{case_id}"))
        return case

    def do(self, case_id: str, command: str, **body: Any) -> JSON:
        answer = self.caller.post(f"/v1/cases/{case_id}/{command}", body, version=self.read(case_id)["version"])
        case: JSON = good(answer)
        return case


ONE_TIME_CODE = re.compile(r"(?<![\d-])\d{6}(?![\d-])")


@dataclass
class Town:
    """The running system and whoever meets it."""

    system: System
    http: httpx.Client
    control: httpx.Client
    mobiles: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    """All that were given out here: nothing but the sealed store may tell them (test_whole_town.py)."""
    _officers: dict[str, tuple[Officer, float]] = field(default_factory=dict)
    _catalogue: JSON = field(default_factory=dict)

    def caller(self, language: str = "fa", token: str = "", code: str = "") -> Caller:
        return Caller(self.http, language, token, code)

    def phone(self) -> Phone:
        mobile = f"+98935{secrets.randbelow(10**7):07d}"
        self.mobiles.add(mobile)
        return Phone(self.control, mobile)

    def all_texts(self) -> list[str]:
        """Every text that the SMS provider was given."""
        messages: list[JSON] = []
        last = 0
        while True:
            page = self.control.get("/_control/messages", params={"all": True, "after": last}).json()
            messages += page["messages"]
            if not page["messages"]:
                return [message["text"] for message in messages]
            last = page["last"]

    # --- citizens ---

    def sign_in(self, phone: Phone, language: str = "fa") -> tuple[Caller, str]:
        """A citizen by one-time code; also the text of the SMS that brought it."""
        caller = self.caller(language)
        good(caller.post("/v1/auth/codes", {"mobile": phone.mobile}))
        # To a phone whose citizen is filing meanwhile, other messages come too.
        text, code = next((text, code) for text in iter(phone.next, "") if (code := ONE_TIME_CODE.search(text)))
        tokens = good(caller.post("/v1/auth/tokens", {"mobile": phone.mobile, "code": code.group()}))
        return self.caller(language, token=tokens["access_token"]), text

    def file(self, who: Caller, **body: Any) -> Case:
        """A submission; the Case in the hands of who holds its code."""
        filed = good(who.post("/v1/submissions", {"consent": True, "language": who.language, **body}), 201)
        code = filed["tracking_code"].replace(" ", "")
        self.codes.add(code)
        return Case(code, self.caller(who.language, code=code), filed["submission_id"], filed)

    def report(self, **body: Any) -> Case:
        """An anonymous report."""
        about = {"kind": "information", "unit": "dep.civ.roads", "ground": "waste", "text": "آسفالت نو دوباره کنده شد."}
        return self.file(self.caller(), **{**about, **body})

    def complaint(self, **body: Any) -> tuple[Case, Phone, Caller]:
        """An identified complaint against UNIT; its citizen's phone has the code already."""
        phone = self.phone()
        citizen, _ = self.sign_in(phone)
        about = {"kind": "complaint", "unit": UNIT, "ground": "delay", "text": "پرونده من سه ماه مانده است."}
        case = self.file(citizen, **{**about, "identity": {"name": "شاکی نمونه"}, **body})
        assert case.dashed in phone.next()
        return case, phone, citizen

    # --- staff ---

    def officer(self, username: str) -> Officer:
        """Signed in by password and TOTP, anew when the session grows old."""
        cached = self._officers.get(username)
        if cached is not None and time.monotonic() - cached[1] < 600:
            return cached[0]
        credentials = self.credentials()[username]
        caller = self.caller()

        tried: set[str] = set()

        def enter() -> str:
            # A TOTP code is good once: after a recent sign-in the next one is waited for, and none is tried twice, since
            # failures make the account wait.
            totp = pyotp.TOTP(credentials["totp_secret"]).now()
            if totp in tried:
                return ""
            tried.add(totp)
            answer = caller.post(
                "/v1/auth/staff/tokens", {"username": username, "password": credentials["password"], "totp": totp}
            )
            return str(answer.json()["access_token"]) if answer.status_code == 200 else ""

        signed_in = self.caller(token=eventually(enter, timeout=75))
        me = good(signed_in.get("/v1/me"))
        officer = Officer(username, signed_in, me["id"])
        self._officers[username] = (officer, time.monotonic())
        return officer

    def credentials(self) -> dict[str, JSON]:
        credentials: dict[str, JSON] = json.loads((Path(self.system.state) / "credentials.json").read_text())
        return credentials

    def assigned(self, case: Case, inspector: str = "inspector") -> Officer:
        """The case screened and assigned; its inspector."""
        case_id = str(case.view()["case_id"])
        screener = self.officer("screener")
        screener.do(case_id, "screening")
        screener.do(case_id, "assignment", inspector=self.officer(inspector).staff_id)
        return self.officer(inspector)

    def allowed(self, case_id: str, reason: str, by: str = "head") -> None:
        """A custodian has consented to that this officer opens who filed the case."""
        answer = self.officer(by).caller.post(f"/v1/cases/{case_id}/identity/requests", {"reason": reason})
        path = f"/v1/identity-requests/{good(answer, 201)['request_id']}/decision"
        assert good(self.officer("custodian").caller.post(path, {"consent": True}))["state"] == "consented"

    def opens(self, case_id: str, reason: str, by: str = "head") -> httpx.Response:
        """Who filed the case, opened by this officer, to which a custodian consents."""
        self.allowed(case_id, reason, by)
        return self.officer(by).caller.post(f"/v1/cases/{case_id}/identity", {"reason": reason})

    # --- the calendar, counted here on its own ---

    def working_day(self, count: int) -> date:
        """The `count`-th working day after today in Tehran: neither Thursday, Friday nor a holiday."""
        self._catalogue = self._catalogue or good(self.caller().get("/v1/catalogue"))
        holidays = {date.fromisoformat(day) for day in self._catalogue["holidays"]}
        day = jalali.today(now())
        while count:
            day += timedelta(days=1)
            if day.strftime("%a") not in ("Thu", "Fri") and day not in holidays:
                count -= 1
        return day


@contextmanager
def people_of(system: System) -> Iterator[Town]:
    """The people who use a running system."""
    with (
        httpx.Client(base_url=system.gateway_url, timeout=30, trust_env=False) as http,
        httpx.Client(base_url=system.simulator_url, timeout=60, trust_env=False) as control,
    ):
        yield Town(system, http, control)
