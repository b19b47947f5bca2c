"""The form session: what the pages remember of one browser between two requests.

The browser holds one random value, the session id, and the choice of language; so the cookies stay small whatever is typed.
Everything else is in a store (gateway/pages/form_session_store.py) under a hash of the session id, each value
encrypted under a key derived from that id and the gateway's own: a reader of the store learns nothing, and a changed value
is unreadable.

The session's cookie is SameSite=Lax: a link from another site shows visitors their own draft, since GET changes nothing, and
a form of another site comes without it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
import zlib
from contextlib import suppress
from typing import Any, TypeVar

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from gateway.pages.form_session_store import LIFETIME, RECORD_LIMIT, FormSessionStore, StoreUnavailable

PREFIX = "peygir-"
SECURE_PREFIX = "__Host-peygir-"
"""With it a browser takes the cookie from this host alone, over TLS, for the whole site."""
CASE = "case-"
_INFLATED = 1_000_000  # octets; only what we wrote ourselves is ever opened
_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{20,64}")

Model = TypeVar("Model", bound=BaseModel)


class SessionFull(ValueError):
    """All that one visitor typed is more than is kept for one."""


class FormSession:
    """The cookies of one request and, when applied, of its answer; with the values of the session.

    `key`: 32 octets, the same in every gateway. `secure`: whether citizens reach us by https, which the request itself does
    not show behind a proxy. `starts`: whether the answer may start a session where the request has none.
    """

    def __init__(
        self, request: Request, key: bytes, store: FormSessionStore, secure: bool = False, starts: bool = True
    ) -> None:
        self._request, self._key, self._store = request, key, store
        self._secure, self._starts = secure, starts
        self._prefix = SECURE_PREFIX if secure else PREFIX
        self._cookies: dict[str, str] = {}
        self._values: dict[str, tuple[float, Any]] = {}
        self._changed: set[str] = set()
        self._former: str | None = None
        session_id = self.browser_value("form-session")
        self.is_new = _SESSION_ID.fullmatch(session_id) is None
        self._session_id = secrets.token_urlsafe(32) if self.is_new else session_id
        self.subject = ""
        """What the forms of this page are about: a case (`case_subject`), the kind that is being begun, or nothing."""
        self.sent_by_own_page = False
        """Whether the browser reports that a page of ours sent the request."""
        self.complete = True
        """False: the store could not be read in full, so what is not there may still exist."""

    # --- forms and notes ---

    def form_token(self, about: str | None = None) -> str:
        """What every form carries, so that only a page of ours can post it. `about`: which case it is of, else `subject`."""
        about = self.subject if about is None else about
        return f"{about}.{self._mac('form', about)[:40]}"

    def accepts_form_token(self, token: str) -> bool:
        """Whether a form with this token may be taken as it is. A browser's first form has none, if it came from another
        site: then the browser's Sec-Fetch-Site is enough."""
        about = self.form_subject(token)
        if about is None:
            return self.is_new and self.sent_by_own_page
        return about == self.subject or not (about + self.subject).startswith(CASE)

    def form_subject(self, token: str) -> str | None:
        """What the form with this token is about; None when the token is not of this session."""
        about, _, _ = token.partition(".")
        good = hmac.compare_digest(token.encode(), self.form_token(about).encode())
        return about if good and not self.is_new else None

    def sign_notice(self, name: str) -> str:
        """`name` as a query parameter: nobody else can make this visitor see that message."""
        return f"{name}.{self._short_mac('note', name)}"

    def verified_notice(self, text: str) -> str:
        """The name that `sign_notice` made this text of; "" for any other text."""
        name, _, _ = text.partition(".")
        return name if hmac.compare_digest(text.encode(), self.sign_notice(name).encode()) else ""

    def case_subject(self, case: str) -> str:
        """Identifies a case in forms without revealing its code or id."""
        return CASE + hmac.new(self._key, b"about\0" + case.encode(), hashlib.sha256).hexdigest()[:16]

    # --- what the browser holds ---

    def browser_value(self, name: str) -> str:
        return self._request.cookies.get(self._prefix + name, "")

    def set_browser_value(self, name: str, value: str) -> None:
        self._cookies[name] = value

    def set_cookies(self, response: Response) -> None:
        """Session cookies: gone when the browser closes; never sent with a form of another site, never seen by a script."""
        if self._session_id != self.browser_value("form-session") and (self._starts or not self.is_new):
            self._cookies["form-session"] = self._session_id
        for name, value in self._cookies.items():
            response.set_cookie(
                self._prefix + name, value, path="/", httponly=True, samesite="lax", secure=self._secure
            )

    # --- the session's values ---

    async def load(self) -> None:
        """Reads all values of the session. Where the store cannot be reached there are none, and `complete` is False."""
        if self.is_new:
            return
        try:
            copies = await self._store.read(self._record_id(self._session_id))
        except StoreUnavailable:
            self.complete = False
            return
        self.complete = copies.complete
        box = self._box(self._session_id)
        for record in copies.records:
            for name, sealed in record.items():
                opened = _opened(box, name, sealed)
                if opened is not None and opened[0] >= self._values.get(name, (0.0, None))[0]:
                    self._values[name] = opened

    def read(self, name: str, model: type[Model], max_age: float = LIFETIME) -> Model | None:
        """The value if it is there and at most `max_age` seconds old."""
        at, value = self._values.get(name, (0.0, None))
        if value is None or not 0 <= time.time() - at <= max_age:
            return None
        try:
            return model.model_validate(value)
        except ValidationError:  # of another release
            return None

    def names(self, prefix: str) -> list[str]:
        """Names of values that are there, by how they begin."""
        return [name for name, (_, value) in self._values.items() if name.startswith(prefix) and value is not None]

    def write(self, name: str, value: BaseModel) -> None:
        """Kept when `save` is called. SessionFull when all values together are too long."""
        before = self._values.get(name)
        self._values[name] = (time.time(), value.model_dump(mode="json"))
        if sum(len(_raw(kept, *content)) for kept, content in self._values.items()) > RECORD_LIMIT // 2:
            del self._values[name]
            if before is not None:
                self._values[name] = before
            raise SessionFull(name)
        self._changed.add(name)

    def drop(self, name: str) -> None:
        if self._values.get(name, (0.0, None))[1] is not None:
            self._values[name] = (time.time(), None)
            self._changed.add(name)

    def drop_all(self, prefix: str) -> None:
        for name in self.names(prefix):
            self.drop(name)

    def renew(self) -> None:
        """A new session id with the same values: whoever knew the old one, or planted it, has nothing of the new one."""
        if self._former is None and not self.is_new:
            self._former = self._session_id
        self._session_id = secrets.token_urlsafe(32)
        self._changed |= set(self._values)

    async def save(self) -> None:
        """Keeps what was written and dropped. StoreUnavailable: nothing of it is kept, and the session is as it was."""
        if not self._changed:
            return
        old = {name for name, (at, _) in self._values.items() if time.time() - at > LIFETIME}
        box = self._box(self._session_id)
        sealed = {name: bytes(box.encrypt(_raw(name, *self._values[name]))) for name in self._changed - old}
        removed = {name for name in self._changed | old if name in old or self._values[name][1] is None}
        gone = {name: sealed.get(name) or bytes(box.encrypt(_raw(name, time.time(), None))) for name in removed}
        kept = {name: value for name, value in sealed.items() if name not in removed}
        try:
            await self._store.change(self._record_id(self._session_id), kept, gone)
        except StoreUnavailable:
            if self._former is not None:
                self._session_id, self._former = self._former, None
            raise
        self._changed.clear()
        if self._former is not None:
            with suppress(StoreUnavailable):  # it goes at the end of its lifetime
                await self._store.remove(self._record_id(self._former))
            self._former = None

    # --- keys ---

    def _mac(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose}\0{self._session_id}\0{text}".encode(), hashlib.sha256).hexdigest()

    def _short_mac(self, purpose: str, text: str) -> str:
        return base64.urlsafe_b64encode(bytes.fromhex(self._mac(purpose, text))[:9]).decode()

    def _record_id(self, session_id: str) -> str:
        return hmac.new(self._key, b"record\0" + session_id.encode(), hashlib.sha256).hexdigest()

    def _box(self, session_id: str) -> SecretBox:
        return SecretBox(hmac.new(self._key, b"seal\0" + session_id.encode(), hashlib.sha256).digest())


def _raw(name: str, at: float, value: Any) -> bytes:
    """The name and the time are sealed with the value, so that none can stand for another or outlive its time."""
    stored = {"name": name, "at": at, "value": value}
    return zlib.compress(json.dumps(stored, ensure_ascii=False, separators=(",", ":")).encode(), 6)


def _opened(box: SecretBox, name: str, sealed: bytes) -> tuple[float, Any] | None:
    try:
        stored = json.loads(zlib.decompressobj().decompress(box.decrypt(sealed), _INFLATED))
        return (float(stored["at"]), stored["value"]) if stored["name"] == name else None
    except (ValueError, KeyError, TypeError, CryptoError, zlib.error):
        return None
