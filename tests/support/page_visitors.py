"""Visitors of every plain page, with the cases, drafts and sessions that the page needs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from contracts import tracking_codes
from contracts.accounts import OtpSent, Tokens
from contracts.base import now
from contracts.tracking import OpenQuestion, PublicCase
from contracts.vocabulary import Kind, Stage
from gateway.pages import routes
from gateway.pages.draft import Draft, OpenCase, SignedIn
from gateway.pages.sign_in import PendingCode
from tests.support.gateway import CATALOGUE, UNLIMITED, Gateway
from tests.support.pages import Browser, multipart

TEXT = "پرونده پایان کار من سه ماه است که مانده و هر بار می‌گویند هفته دیگر بیایید."
MOBILE = "+989121234567"
CODE_FIELDS = {"/follow", "/file/code", "/sign-in/code", "/file/unit"}
"""Codes are secrets and a search is quickly typed again: these are shown again, and not kept."""


def public_case(**more: Any) -> PublicCase:
    values: dict[str, Any] = {
        "case_id": uuid4(),
        "kind": Kind.CRITICISM,
        "stage": Stage.AWAITING_CITIZEN,
        "unit_name_fa": "پارک‌ها",
        "unit_name_en": "Parks",
        "ground": "delay",
        "filed_at": now(),
        "expected_on": None,
        "question": OpenQuestion(question_id=uuid4(), text="نخستین بار چه روزی بود؟", asked_at=now()),
        "can": ["answer_question", "rate", "object", "withdraw"],
        "messages_left": 10,
        "timeline": [],
        "version": 5,
    }
    return PublicCase(**{**values, **more})


def draft(kind: Kind = Kind.COMPLAINT, **more: Any) -> Draft:
    done = ["mobile", "code", "name", "unit", "ground", "text", "place", "date", "people", "reference"]
    done += ["questions/day", "questions/times", "questions/what", "evidence", "identity"]
    ground = "delay" if kind is Kind.COMPLAINT else "conduct"
    values = {"unit": "parks", "ground": ground, "name": "شاکی نمونه", "done": done, "anonymous": False}
    return Draft(kind=kind, **{**values, **more})


def make(folder: Path, **settings: Any) -> Gateway:
    made = Gateway(folder, **UNLIMITED, **settings)
    made.container.catalogue_cache.put(CATALOGUE)
    return made


def answers_well(gateway: Gateway) -> None:
    case = public_case()
    gateway.rabbit.answers["tracking.view_by_code"] = lambda _: case
    gateway.rabbit.answers["tracking.execute_citizen"] = lambda _: case
    gateway.rabbit.answers["accounts.request_otp"] = lambda _: OtpSent(resend_after=60, expires_in=300)
    gateway.rabbit.answers["accounts.verify_otp"] = lambda _: tokens(gateway)


def tokens(gateway: Gateway) -> Tokens:
    return Tokens(access_token=gateway.keys.citizen(MOBILE), refresh_token="r" * 40, expires_in=900)


def signed_in(gateway: Gateway) -> SignedIn:
    given = tokens(gateway)
    return SignedIn(
        access_token=given.access_token, refresh_token=given.refresh_token, mobile=MOBILE, expires_at=time.time() + 900
    )


def code(gateway: Gateway) -> str:
    return tracking_codes.mint(gateway.container.mac_keys)


def at_every_page(gateway: Gateway, path: str) -> Browser:
    """A visitor who may see this page: a full draft, an opened case, signed in where the page needs it or must not have it."""
    browser = Browser(gateway).given(case=OpenCase(code=code(gateway)))
    if path in ("/file/mobile", "/file/code", "/sign-in", "/sign-in/code") or "{kind" in path:
        return browser.given(mobile=PendingCode(mobile=MOBILE), **({} if "{kind" in path else {"draft": draft()}))
    kind = Kind.CRITICISM if path == "/file/questions/{code:str}" else Kind.COMPLAINT
    return browser.given(draft=draft(kind), citizen=signed_in(gateway))


def address(path: str) -> str:
    return path.replace(":str", "").format(
        kind="complaint", code="day", media_id="m" * 22, variant="thumbnail", seal="x"
    )


def cookie(browser: Browser) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def text_fields(gateway: Gateway) -> dict[str, list[str]]:
    """Pages with fields for text, and those fields."""
    answers_well(gateway)
    fields = {}
    for path in routes.PAGES:
        browser = at_every_page(gateway, path)
        answer = gateway.send("GET", address(path), headers={"cookie": cookie(browser)})
        if answer.status_code == 200 and "text/html" in answer.headers.get("content-type", ""):
            browser.answer = answer
            if browser.typable:
                fields[path] = browser.typable
    return fields


def fill(browser: Browser, fields: list[str]) -> dict[str, str]:
    return {name: f"«{name}» نوشته شد & <b>" for name in fields}


def post(browser: Browser, path: str, typed: dict[str, str], **headers: str) -> str:
    fields = {**browser.hidden, **typed}
    if path in routes.WITH_FILES:
        form = multipart(fields)
        return browser.open(path, "POST", {**headers, **form["headers"]}, content=form["content"])
    return browser.open(path, "POST", headers, data=fields)


def shows(browser: Browser, typed: dict[str, str]) -> None:
    for value in typed.values():
        assert value in browser.source, browser.text


class Clock:
    """The time of this process, `ahead` seconds in the future."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead, real = 0.0, time.time
        monkeypatch.setattr(time, "time", lambda: real() + self.ahead)
