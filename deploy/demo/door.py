"""The gateway as the demo speaks to it: JSON over HTTP, uploads by tus in chunks; each request shown."""

import base64
import json
import secrets
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.demo.telling import Failed, Teller

CHUNK = 64 * 1024
Answer = dict[str, Any]


@dataclass(frozen=True)
class Staff:
    """What the seed wrote of one account."""

    username: str
    password: str
    totp_secret: str


def read_credentials(file: Path) -> dict[str, Staff]:
    """The accounts by user name; Failed says what to do when they are not there."""
    try:
        told = json.loads(file.read_text())
        return {name: Staff(name, one["password"], one["totp_secret"]) for name, one in told.items() if one["password"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Failed(
            f"the demo staff's credentials cannot be read from {file}: `./peygir seed --credentials {file}`"
        ) from None


class Door:
    """One caller at the gateway. `token`: an access token, `code`: a tracking code, sent with each request."""

    def __init__(self, http: httpx.Client, teller: Teller, token: str | None = None, code: str | None = None) -> None:
        self._http, self.teller = http, teller
        self._headers = {"Accept-Language": "fa"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        if code:
            self._headers["Tracking-Code"] = code

    def as_(self, token: str | None = None, code: str | None = None) -> "Door":
        return Door(self._http, self.teller, token, code)

    def get(self, path: str, **params: str) -> Answer:
        return self._json(self.send("GET", path, params=params))

    def post(self, path: str, body: Answer, version: int | None = None) -> Answer:
        """With a key of its own, and the version of the case that was seen."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self._json(self.send("POST", path, json=body, headers=headers))

    def download(self, path: str) -> httpx.Response:
        """A download, whatever its status."""
        return self.send("GET", path, allowed=(200, 403, 404, 409, 410))

    def upload(self, name: str, media_type: str, content: bytes) -> str:
        """By tus, CHUNK octets a request; the upload's id."""
        pairs = {"filename": name, "filetype": media_type}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        tus = {"Tus-Resumable": "1.0.0"}
        created = self.send(
            "POST", "/v1/uploads", headers={**tus, "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
        )
        place = httpx.URL(created.headers["Location"]).path
        offset = 0
        while offset < len(content):
            chunk = content[offset : offset + CHUNK]
            sent = self.send(
                "PATCH",
                place,
                content=chunk,
                headers={**tus, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"},
                note=f"bytes {offset}–{offset + len(chunk)} of {len(content)}",
            )
            offset = int(sent.headers["Upload-Offset"])
            self.teller.answer(f"{sent.status_code}  the server has {offset} bytes")
        return place.rsplit("/", 1)[1]

    def _json(self, answer: httpx.Response) -> Answer:
        found: Answer = answer.json()
        return found

    def send(
        self, method: str, path: str, *, allowed: tuple[int, ...] = (), note: str = "", headers: Any = None, **more: Any
    ) -> httpx.Response:
        """The answer; Failed, with what the gateway said, when it is neither a success nor `allowed`."""
        self.teller.request(f"{method} {path}{'   ' + note if note else ''}")
        for _ in range(8):
            try:
                answer = self._http.request(method, path, headers={**self._headers, **(headers or {})}, **more)
            except httpx.HTTPError as error:
                raise self.teller.failed(
                    f"{self._http.base_url} does not answer ({type(error).__name__}); is Peygir running?"
                ) from None
            if answer.status_code not in (429, 503):
                break
            time.sleep(min(int(answer.headers.get("Retry-After", 1)), 10))
        if answer.is_success or answer.status_code in allowed:
            return answer
        try:
            said = answer.json()
            words = "; ".join([said.get("detail") or said["title"], *(f"{e}" for e in said.get("errors", []))])
        except (ValueError, KeyError):
            words = answer.text[:200]
        raise self.teller.failed(f"{method} {path} was answered {answer.status_code}: {words}")


def sign_in_staff(door: Door, staff: Staff) -> Door:
    """With password and TOTP; a code is good once, so a second sign-in within 30 seconds waits for the next code."""
    import pyotp

    totp = pyotp.TOTP(staff.totp_secret)
    for attempt in range(3):
        at = time.time() + 30 * (attempt == 1)
        if attempt == 2:
            wait = 31 - time.time() % 30
            door.teller.answer(f"each code is good once; waiting {wait:.0f} s for the next")
            time.sleep(wait)
            at = time.time()
        body = {"username": staff.username, "password": staff.password, "totp": totp.at(int(at))}
        answer = door.send("POST", "/v1/auth/staff/tokens", json=body, allowed=(401,))
        if answer.is_success:
            return door.as_(token=answer.json()["access_token"])
    raise door.teller.failed(f"{staff.username} could not sign in; the password may have been changed")


def some_mobile() -> str:
    """A number that nobody has used here before."""
    return f"+98912{secrets.randbelow(10**7):07d}"
