"""A partner's system: an HTTP server that records what it is sent, and answers as a test says."""

from __future__ import annotations

import json
import runpy
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.http_servers import serving
from tests.support.processes import ROOT

_script = runpy.run_path(str(ROOT / "docs" / "verify_webhook.py"))
verify: Callable[..., str] = _script["verify"]
"""As docs/explanation/webhooks.md tells partners to."""
NotGenuine: type[Exception] = _script["NotGenuine"]


@dataclass(frozen=True)
class Received:
    """One request. `headers`: by lower-case names."""

    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    def is_signed_by(self, secret: str, now: float | None = None) -> bool:
        try:
            return verify(secret, self.headers, self.content, now) == self.id
        except NotGenuine:
            return False


@dataclass
class Partner:
    """`status`, `location`, `answer`: what it answers. `hangs`: it records and does not answer until this is set; `drips`:
    seconds between the bytes of an answer that does not end."""

    url: str = ""
    status: int = 204
    location: str = ""
    answer: bytes = b""
    hangs: threading.Event | None = None
    drips: float = 0.0
    received: list[Received] = field(default_factory=list)

    def ids(self) -> list[str]:
        return [received.id for received in self.received]

    def types(self) -> list[str]:
        return [received.body["type"] for received in self.received]


def _handler(partner: Partner) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server calls
            content = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            partner.received.append(Received(self.path, headers, content))
            if partner.hangs is not None:
                partner.hangs.wait(60)
            self.send_response(partner.status)
            if partner.location:
                self.send_header("location", partner.location)
            if partner.drips:
                self.end_headers()
                self._drip()
                return
            if partner.status != 204:
                self.send_header("content-length", str(len(partner.answer)))
            self.end_headers()
            if partner.status != 204:
                self.wfile.write(partner.answer)

        do_GET = do_POST  # noqa: N815  # a redirect that is followed would arrive as one

        def _drip(self) -> None:
            try:
                while True:
                    self.wfile.write(b"x")
                    time.sleep(partner.drips)
            except OSError:
                return

        def log_message(self, *args: Any) -> None:
            """Nothing: tests read what was received."""

    return Handler


@contextmanager
def open_partner(host: str = "127.0.0.1") -> Iterator[Partner]:
    """On a port of its own."""
    partner = Partner()
    with serving(_handler(partner), host) as url:
        partner.url = f"{url}/hook"
        try:
            yield partner
        finally:
            if partner.hangs is not None:
                partner.hangs.set()
