"""The plain pages where something is away or wrong: what the visitor reads, and what they need not do again."""

from __future__ import annotations

import html
import re

import httpx
import pytest

from backbone import codes
from contracts.errors import DeadlinePassed, UnknownCase
from tests.unit.gateway_parts import CATALOGUE, UNLIMITED, Gateway, refusing


class Browser:
    """A browser without script: keeps cookies, goes where it is sent, posts the form of the page it shows."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.cookies = gateway, dict[str, str]()
        self.answer: httpx.Response

    def open(self, path: str, method: str = "GET", headers: dict[str, str] | None = None, **more: object) -> str:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.answer = self.gateway.send(method, path, headers={**(headers or {}), "cookie": cookie}, **more)
        self.cookies |= {name: value for name, value in self.answer.cookies.items() if value}
        if self.answer.status_code == 303:
            return self.open(self.answer.headers["location"])
        return self.text

    def send(self, path: str, **fields: str) -> str:
        return self.open(path, "POST", data={"token": self.token, **fields})

    @property
    def text(self) -> str:
        """What the page says, without its marks."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.answer.text)).split())

    @property
    def token(self) -> str:
        return str(re.findall(r'name="token" value="([^"]*)"', self.answer.text)[0])


@pytest.fixture(scope="module")
def only_one(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    made = Gateway(tmp_path_factory.mktemp("state"), **UNLIMITED)
    made.door.shelf.put(CATALOGUE)
    return made


@pytest.fixture
def gateway(only_one: Gateway) -> Gateway:
    only_one.bus.answers.clear()
    return only_one


@pytest.fixture
def browser(gateway: Gateway) -> Browser:
    return Browser(gateway)


def test_a_status_that_cannot_be_read_is_told_with_its_comfort_and_is_there_later(
    gateway: Gateway, browser: Browser
) -> None:
    gateway.bus.answers["tracking.view_by_code"] = refusing(DeadlinePassed(retry_after=5))
    browser.open("/follow")
    told = browser.send("/follow", code=codes.mint(gateway.door.mac_keys))

    assert (browser.answer.status_code, browser.answer.headers["retry-after"]) == (503, "5")
    assert "وضعیت اکنون خوانده نمی‌شود" in told
    assert "آنچه ثبت کرده‌اید محفوظ است" in told
    assert "در حال ثبت" not in told
    # The code need not be typed again.
    gateway.bus.answers["tracking.view_by_code"] = refusing(UnknownCase())
    assert "در حال ثبت است" in browser.open("/case")
