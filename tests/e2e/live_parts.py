"""What the tests of live streams and of browsers' sessions share: an open stream, the browser of one person, an account of their
own."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pyotp

from tests.e2e.people import JSON, ONE_TIME_CODE, Town, good
from tests.support.processes import eventually

OURS = {"X-Peygir-CSRF": "1", "Sec-Fetch-Site": "same-origin"}
"""What the script of our own page sends along."""
COOKIE = "peygir-session"
"""Its name over plain http, as here."""


class Stream:
    """An open stream; `ended` is set when the gateway ends it."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.open, self.ended = threading.Event(), threading.Event()
        self.status = 0
        self._events: list[JSON] = []
        self._url, self._headers = url, headers
        threading.Thread(target=self._read, daemon=True).start()
        assert self.open.wait(20)
        assert self.status == 200

    def _read(self) -> None:
        with httpx.stream(
            "GET", f"{self._url}/v1/stream", headers=dict(self._headers), trust_env=False, timeout=120
        ) as answer:
            self.status = answer.status_code
            for line in answer.iter_lines():
                self.open.set()
                if line.startswith("data: "):
                    self._events.append(json.loads(line.removeprefix("data: ")))
        self.open.set()
        self.ended.set()

    def events(self, name: str, case_id: str) -> list[JSON]:
        """What was told of a case so far."""
        return [event for event in self._events if event["event"] == name and event.get("case_id") == case_id]

    def awaits(self, name: str, case_id: str, holds: Callable[[JSON], bool] = lambda _: True) -> JSON:
        """The first such event."""

        def found() -> JSON | None:
            return next((event for event in self.events(name, case_id) if holds(event)), None)

        event = eventually(found, timeout=60)
        assert event is not None
        return event


class Browser:
    """One person's browser: any number of its tabs share the cookie, and send what the scripts of our own pages send."""

    def __init__(self, url: str, language: str = "fa") -> None:
        self.url, self.cookie = url, ""
        self.language = language

    @property
    def headers(self) -> dict[str, str]:
        """Of whatever the browser loads by itself: pictures, sound, streams, downloads."""
        return {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}

    def request(self, method: str, path: str, url: str | None = None, **more: Any) -> httpx.Response:
        headers = {"Accept-Language": self.language, **self.headers, **OURS, **more.pop("headers", {})}
        return httpx.request(method, f"{url or self.url}{path}", headers=headers, trust_env=False, timeout=60, **more)

    def get(self, path: str, url: str | None = None, **params: Any) -> httpx.Response:
        return self.request("GET", path, url, params=params)

    def post(self, path: str, body: JSON, version: int | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self.request("POST", path, json=body, headers=headers)

    def open(self, body: JSON, url: str | None = None) -> JSON:
        """Signs in; who that is."""
        answer = self.request("POST", "/v1/session", url, json=body)
        view: JSON = good(answer, 201)
        self.cookie = answer.cookies[COOKIE]
        return view


def citizen_browser(town: Town) -> Browser:
    """Of somebody who has just signed in with a phone that nobody had before."""
    browser, phone = Browser(town.system.gateway_url), town.phone()
    good(browser.post("/v1/auth/codes", {"mobile": phone.mobile}))
    code = next(match for text in iter(phone.next, "") if (match := ONE_TIME_CODE.search(text))).group()
    view = browser.open({"method": "one_time_code", "mobile": phone.mobile, "code": code})
    assert (view["kind"], view["mobile"]) == ("citizen", phone.mobile[-4:])
    return browser


def new_account(town: Town, *roles: str, unit: str = "mayor.insp", name: str = "کارشناس آزمون") -> JSON:
    """A member of staff of the test's own: `body` of the account, `staff_id`, and `sign_in`, which is good for one sign-in."""
    username = f"own-{uuid.uuid4().hex[:10]}"
    body = {"username": username, "display_name": name, "roles": list(roles), "unit": unit}
    made = good(town.officer("administrator").caller.post("/v1/staff", body), 201)
    totp = pyotp.TOTP(made["totp_secret"]).now()
    sign_in = {"method": "password", "username": username, "password": made["password"], "totp": totp}
    return {"body": body, "staff_id": made["member"]["staff_id"], "sign_in": sign_in}


def staff_browser(town: Town, *roles: str, url: str | None = None, **account: str) -> tuple[Browser, JSON]:
    """Of a member of staff of the test's own, signed in; and their account."""
    made = new_account(town, *roles, **account)
    browser = Browser(url or town.system.gateway_url)
    assert browser.open(made["sign_in"])["roles"] == sorted(roles)
    return browser, made
