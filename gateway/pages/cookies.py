"""What the pages remember between two requests: in the visitor's own browser, encrypted, short-lived; nothing with us.

A value is JSON, compressed, and encrypted under the gateway's key together with its name and its time, so that a cookie
can be neither read, changed, kept past its time nor put under another name. A long one is cut into several cookies.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
import zlib
from typing import TypeVar

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

PREFIX = "peygir-"
PIECE = 3_500  # characters; a browser takes 4,096 octets with name and attributes
PIECES = 3
_INFLATED = 200_000  # octets; only what we wrote ourselves is ever opened

Model = TypeVar("Model", bound=BaseModel)


class TooMuch(ValueError):
    """The value does not fit into the cookies."""


class Cookies:
    """The cookies of one request and, when applied, of its answer. `key`: 32 octets, the same in every gateway."""

    def __init__(self, request: Request, key: bytes) -> None:
        self._request = request
        self._box = SecretBox(key)
        self._csrf_key = hmac.new(key, b"csrf", hashlib.sha256).digest()
        self._changes: dict[str, str | None] = {}
        visit = request.cookies.get(f"{PREFIX}visit", "")
        self.is_new = not 20 <= len(visit) <= 64
        self._visit = secrets.token_urlsafe(24) if self.is_new else visit
        if self.is_new:
            self._changes["visit"] = self._visit

    def form_token(self) -> str:
        """What every form carries, so that only a page of ours can post it."""
        return hmac.new(self._csrf_key, self._visit.encode(), hashlib.sha256).hexdigest()[:40]

    def is_form_token(self, token: str) -> bool:
        return not self.is_new and hmac.compare_digest(token.encode(), self.form_token().encode())

    def plain(self, name: str) -> str:
        return self._request.cookies.get(PREFIX + name, "")

    def set_plain(self, name: str, value: str) -> None:
        self._changes[name] = value

    def read(self, name: str, model: type[Model], max_age: int) -> Model | None:
        """The value if it is there, ours, whole and at most `max_age` seconds old."""
        pieces = [self._request.cookies.get(f"{PREFIX}{name}{number or ''}", "") for number in range(PIECES)]
        try:
            sealed = base64.urlsafe_b64decode("".join(pieces))
            raw = zlib.decompressobj().decompress(self._box.decrypt(sealed), _INFLATED)
            stored = json.loads(raw)
            if stored["name"] != name or not 0 <= time.time() - stored["at"] <= max_age:
                return None
            return model.model_validate(stored["value"])
        except (ValueError, KeyError, CryptoError, zlib.error, ValidationError):
            return None

    def write(self, name: str, value: BaseModel) -> None:
        """TooMuch when it is too long to be kept."""
        stored = {"name": name, "at": int(time.time()), "value": value.model_dump(mode="json")}
        raw = zlib.compress(json.dumps(stored, ensure_ascii=False, separators=(",", ":")).encode(), 9)
        sealed = base64.urlsafe_b64encode(bytes(self._box.encrypt(raw))).decode()
        if len(sealed) > PIECE * PIECES:
            raise TooMuch(name)
        for number in range(PIECES):
            piece = sealed[number * PIECE : (number + 1) * PIECE]
            self._changes[f"{name}{number or ''}"] = piece or None

    def drop(self, name: str) -> None:
        for number in range(PIECES):
            self._changes[f"{name}{number or ''}"] = None

    def apply(self, response: Response) -> None:
        """Session cookies: gone when the browser closes; never sent along from another site, never seen by a script."""
        secure = self._request.url.scheme == "https"
        for name, value in self._changes.items():
            full = PREFIX + name
            if value is not None:
                response.set_cookie(full, value, path="/", httponly=True, samesite="strict", secure=secure)
            elif full in self._request.cookies:
                response.delete_cookie(full, path="/", httponly=True, samesite="strict", secure=secure)
