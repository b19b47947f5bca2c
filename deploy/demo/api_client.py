"""The client of the demo: JSON over HTTP, and uploads by tus in chunks. It prints each request."""

import base64
import json
import secrets
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.demo.console import Console, DemoFailed

CHUNK = 64 * 1024
Answer = dict[str, Any]


@dataclass(frozen=True)
class Staff:
    """The credentials of one demo account, as the seed wrote them."""

    username: str
    password: str
    totp_secret: str


def read_credentials(file: Path) -> dict[str, Staff]:
    """The accounts by user name; DemoFailed says what to do when they are missing."""
    try:
        accounts = json.loads(file.read_text())
        return {
            name: Staff(name, account["password"], account["totp_secret"])
            for name, account in accounts.items()
            if account["password"]
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DemoFailed(
            f"the demo staff's credentials cannot be read from {file}: `./peygir seed --credentials {file}`"
        ) from None


class ApiClient:
    """One caller of the gateway. `token`: an access token, `code`: a tracking code; either is sent with each request."""

    def __init__(self, http: httpx.Client, console: Console, token: str | None = None, code: str | None = None) -> None:
        self._http, self.console = http, console
        self._headers = {"Accept-Language": "fa"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        if code:
            self._headers["Tracking-Code"] = code

    def as_(self, token: str | None = None, code: str | None = None) -> "ApiClient":
        """The same gateway with other credentials."""
        return ApiClient(self._http, self.console, token, code)

    def get(self, path: str, **params: str) -> Answer:
        return self._json(self.send("GET", path, params=params))

    def post(self, path: str, body: Answer, version: int | None = None) -> Answer:
        """With an Idempotency-Key of its own, and If-Match for the `version` of the case that was read."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self._json(self.send("POST", path, json=body, headers=headers))

    def download(self, path: str) -> httpx.Response:
        """The answer to a download, also when it is refused."""
        return self.send("GET", path, allowed=(200, 403, 404, 409, 410))

    def upload(self, name: str, media_type: str, content: bytes) -> str:
        """By tus, CHUNK octets a request; the upload's id."""
        pairs = {"filename": name, "filetype": media_type}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        tus = {"Tus-Resumable": "1.0.0"}
        created = self.send(
            "POST", "/v1/uploads", headers={**tus, "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
        )
        path = httpx.URL(created.headers["Location"]).path
        offset = 0
        while offset < len(content):
            chunk = content[offset : offset + CHUNK]
            sent = self.send(
                "PATCH",
                path,
                content=chunk,
                headers={**tus, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"},
                note=f"bytes {offset}–{offset + len(chunk)} of {len(content)}",
            )
            offset = int(sent.headers["Upload-Offset"])
            self.console.answer(f"{sent.status_code}  the server has {offset} bytes")
        return path.rsplit("/", 1)[1]

    def _json(self, answer: httpx.Response) -> Answer:
        body: Answer = answer.json()
        return body

    def send(
        self,
        method: str,
        path: str,
        *,
        allowed: tuple[int, ...] = (),
        note: str = "",
        headers: Any = None,
        **options: Any,
    ) -> httpx.Response:
        """The answer; DemoFailed, with the gateway's error, when it is neither a success nor `allowed`. `note`: printed."""
        self.console.request(f"{method} {path}{'   ' + note if note else ''}")
        for _ in range(8):
            try:
                answer = self._http.request(method, path, headers={**self._headers, **(headers or {})}, **options)
            except httpx.HTTPError as error:
                raise self.console.failed(
                    f"{self._http.base_url} does not answer ({type(error).__name__}); is Peygir running?"
                ) from None
            if answer.status_code not in (429, 503):
                break
            time.sleep(min(int(answer.headers.get("Retry-After", 1)), 10))
        if answer.is_success or answer.status_code in allowed:
            return answer
        try:
            problem = answer.json()
            text = "; ".join([problem.get("detail") or problem["title"], *map(str, problem.get("errors", []))])
        except (ValueError, KeyError):
            text = answer.text[:200]
        raise self.console.failed(f"{method} {path} was answered {answer.status_code}: {text}")


def sign_in_staff(client: ApiClient, staff: Staff) -> ApiClient:
    """With password and TOTP. A code works once, so a second sign-in within 30 seconds waits for the next code."""
    import pyotp

    totp = pyotp.TOTP(staff.totp_secret)
    for attempt in range(3):
        at = time.time() + 30 * (attempt == 1)
        if attempt == 2:
            wait = 31 - time.time() % 30
            client.console.answer(f"each code works once; waiting {wait:.0f} s for the next")
            time.sleep(wait)
            at = time.time()
        body = {"username": staff.username, "password": staff.password, "totp": totp.at(int(at))}
        answer = client.send("POST", "/v1/auth/staff/tokens", json=body, allowed=(401,))
        if answer.is_success:
            return client.as_(token=answer.json()["access_token"])
    raise client.console.failed(f"{staff.username} could not sign in; the password may have been changed")


def unused_mobile() -> str:
    """A random number, which nobody has used here before."""
    return f"+98912{secrets.randbelow(10**7):07d}"
