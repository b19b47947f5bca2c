"""A visitor of the plain pages, without a browser: cookies, forms, and what is kept in the form session."""

from __future__ import annotations

import asyncio
import html
import re
from types import SimpleNamespace
from typing import Any, cast

import httpx
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from gateway.pages.form_session import FormSession
from gateway.pages.installation import cookie_key
from tests.support.gateway import Gateway

OWN = {"sec-fetch-site": "same-origin"}
ELSEWHERE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}


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

    def goes_to_evidence(self) -> None:
        """To the step of the form where files are chosen."""
        self.open("/file/criticism/start")
        self.send("/file/unit", unit="parks")
        self.send("/file/ground", ground="delay")
        self.send("/file/text", text="پرونده سه ماه مانده است.")
        for step in ("place", "date", "people", "reference"):
            self.send(f"/file/{step}")

    @property
    def text(self) -> str:
        """What the page says, without its marks."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.answer.text)).split())

    @property
    def token(self) -> str:
        return str(re.findall(r'name="token" value="([^"]*)"', self.answer.text)[0])

    @property
    def typable(self) -> list[str]:
        """Names of the fields of the page that text can be typed into."""
        tags = re.findall(r"<(?:input|textarea)\b[^>]*>", self.answer.text)
        texts = [tag for tag in tags if not re.search(r'type="(?:hidden|radio|checkbox|file|submit)"', tag)]
        return [name for text in texts for name in re.findall(r' name="([^"]*)"', text)]

    @property
    def hidden(self) -> dict[str, str]:
        """The page's hidden fields."""
        return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', self.answer.text))

    @property
    def source(self) -> str:
        """The page with its marks; what was typed stands in it as it was typed."""
        return html.unescape(self.answer.text)

    def holds(self) -> FormSession:
        """What is kept for this visitor now."""
        request = cast(Request, SimpleNamespace(cookies=self.cookies))
        settings = self.gateway.settings
        kept = FormSession(
            request,
            cookie_key(settings),
            self.gateway.container.form_session_store,
            settings.public_url.startswith("https:"),
        )
        asyncio.run(kept.load())
        return kept

    def given(self, **values: BaseModel) -> Browser:
        """The same with these kept, as the pages would have kept them."""
        kept, answer = self.holds(), Response()
        for name, value in values.items():
            kept.write(name, value)
        asyncio.run(kept.save())
        kept.set_cookies(answer)
        for line in answer.headers.getlist("set-cookie"):
            cookie, _, content = line.partition(";")[0].partition("=")
            self.cookies[cookie] = content
        return self

    def forgets(self, *names: str) -> Browser:
        """The same after these ran out."""
        kept = self.holds()
        for name in names:
            kept.drop(name)
        asyncio.run(kept.save())
        return self


def multipart(fields: dict[str, str], file: bytes = b"", name: str = "") -> dict[str, Any]:
    """A form as a browser posts it when it has a field for a file: `headers` and `content` for the request."""
    boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    content = "".join([*parts, head]).encode() + file + f"\r\n--{boundary}--\r\n".encode()
    return {"headers": {"content-type": f"multipart/form-data; boundary={boundary}"}, "content": content}


__all__ = ["ELSEWHERE", "OWN", "Browser", "multipart"]
