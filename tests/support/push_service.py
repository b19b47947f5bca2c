"""A push service (RFC 8030) that checks what it is sent as browsers' do, and a browser that reads it (RFC 8291)."""

from __future__ import annotations

import base64
import hmac
import json
import os
import struct
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.http_servers import serving

JSON = dict[str, Any]


KEYS_OF_NO_BROWSER = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}
"""The key of RFC 8291's example."""


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 in one step, as the standards of web push use it; written here by hmac alone, apart from what is tested."""
    key = hmac.digest(salt, secret, sha256)
    return hmac.digest(key, info + b"\x01", sha256)[:length]


def decrypt(body: bytes, key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """The payload of an aes128gcm body for this receiver."""
    salt, (size, length) = body[:16], struct.unpack("!IB", body[16:21])
    sender, record = body[21 : 21 + length], body[21 + length :]
    assert len(record) <= size
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
    secret = _hkdf(auth, shared, b"WebPush: info\0" + _point(key) + sender, 32)
    content_key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)
    padded = AESGCM(content_key).decrypt(nonce, record, None).rstrip(b"\0")
    assert padded.endswith(b"\x02"), "the last record ends with 2"
    return padded[:-1]


@dataclass
class Browser:
    """One that has subscribed. `endpoint`: its address at the push service."""

    endpoint: str = ""
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def point(self) -> bytes:
        return _point(self.key)

    def read(self, body: bytes) -> bytes:
        return decrypt(body, self.key, self.auth)

    def subscription(self) -> JSON:
        """As JavaScript's PushSubscription.toJSON() gives it."""
        keys = {"p256dh": b64(self.point), "auth": b64(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}


@dataclass(frozen=True)
class Pushed:
    """What the service took. `headers`: by lower-case names; `body`: as it came, encrypted."""

    browser: Browser
    headers: Mapping[str, str]
    body: bytes

    @property
    def payload(self) -> JSON:
        """As the service worker reads it."""
        payload: JSON = json.loads(self.browser.read(self.body))
        return payload


@dataclass
class PushService:
    """`server_key`: the applicationServerKey that its browsers were subscribed with; "": any. `now`: its clock;
    `status`, `retry_after`: what it answers instead of 201; `hangs`: it takes what comes and does not answer until this is set;
    `attempts`: all requests by the name of the browser."""

    url: str = ""
    server_key: str = ""
    status: int = 201
    retry_after: str = ""
    hangs: threading.Event | None = None
    browsers: dict[str, Browser] = field(default_factory=dict)
    received: list[Pushed] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    now: Callable[[], float] = time.time

    def browser(self) -> Browser:
        """A newly subscribed one."""
        browser = Browser()
        browser.endpoint = f"{self.url}/push/{browser.name}"
        self.browsers[browser.name] = browser
        return browser

    def forget(self, browser: Browser) -> None:
        """The person took the permission back."""
        self.browsers.pop(browser.name, None)

    def of(self, browser: Browser) -> list[Pushed]:
        return [pushed for pushed in self.received if pushed.browser is browser]

    def check(self, headers: Mapping[str, str], body: bytes) -> int:
        """The status that a push service answers to these."""
        for needed in ("ttl", "authorization", "content-encoding"):
            if needed not in headers:
                self.problems.append(f"no {needed}")
                return 400
        if headers["content-encoding"] != "aes128gcm" or not headers["ttl"].isdecimal():
            self.problems.append("content-encoding or ttl")
            return 400
        if len(headers.get("topic", "")) > 32 or headers.get("urgency", "normal") not in (
            "very-low",
            "low",
            "normal",
            "high",
        ):
            self.problems.append("topic or urgency")
            return 400
        if len(body) > 4096:
            return 413
        problem = self._vapid_problem(headers["authorization"])
        if problem:
            self.problems.append(problem)
            return 403
        return self.status

    def _vapid_problem(self, authorization: str) -> str:
        scheme, _, rest = authorization.partition(" ")
        fields = dict(part.strip().split("=", 1) for part in rest.split(","))
        if scheme != "vapid" or (self.server_key and fields["k"] != self.server_key):
            return "another application server"
        signed, _, signature = fields["t"].rpartition(".")
        claims, raw = json.loads(unb64(signed.split(".")[1])), unb64(signature)
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(fields["k"]))
        pair = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        public.verify(pair, signed.encode(), ec.ECDSA(hashes.SHA256()))
        if claims["aud"] != self.url or not 0 < claims["exp"] - self.now() <= 86_400:
            return f"aud or exp of {claims}"
        return ""


def _handler(service: PushService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server calls
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            name = self.path.rpartition("/")[2]
            browser = service.browsers.get(name)
            service.attempts.append(name)
            status = service.check(headers, body) if browser is not None else 410
            if browser is not None and status == 201:
                service.received.append(Pushed(browser, headers, body))
            if service.hangs is not None:
                service.hangs.wait(60)
            self.send_response(status)
            if service.retry_after:
                self.send_header("retry-after", service.retry_after)
            if status == 201:
                self.send_header("location", f"{service.url}/message/{uuid.uuid4().hex}")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Nothing: tests read what was received."""

    return Handler


@contextmanager
def open_push_service(host: str = "127.0.0.1") -> Iterator[PushService]:
    """On a port of its own."""
    service = PushService()
    with serving(_handler(service), host) as url:
        service.url = url
        try:
            yield service
        finally:
            if service.hangs is not None:
                service.hangs.set()
