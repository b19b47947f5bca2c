"""SMS providers: one protocol, and Kavenegar's HTTP API behind it (docs: sms providers).

A provider's refusal is one of three things:

    ProviderError
    ├── Retry         later, at the same provider: busy, too many calls, not reached, no answer in time
    ├── NextProvider  another may do it: no credit, key, address or line refused; this one rests for `rest` seconds
    └── GiveUp        nobody will: a bad number, an empty or forbidden text

The API key is part of Kavenegar's URLs. So no URL is ever logged here, and httpx's own exceptions, which carry the
request, never leave this module, not even as a `__context__`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import httpx

# httpx logs each request with its URL at INFO, and httpcore at DEBUG.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    BLOCKED = "blocked"  # the person has closed their number to such messages
    FAILED = "failed"
    UNKNOWN = "unknown"


FINAL = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED, DeliveryStatus.BLOCKED, DeliveryStatus.FAILED})


class ProviderError(Exception):
    """`reason`: a short stable word for tables and logs. `ambiguous`: the message may have been taken all the same."""

    def __init__(self, reason: str, *, ambiguous: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ambiguous = ambiguous


class Retry(ProviderError):
    pass


class NextProvider(ProviderError):
    """`rest`: seconds for which this provider is not asked again (0: it is well, only this message is not for it)."""

    def __init__(self, reason: str, *, rest: float = 300.0) -> None:
        super().__init__(reason)
        self.rest = rest


class GiveUp(ProviderError):
    pass


@dataclass(frozen=True)
class Accepted:
    """`message_id`: the provider's."""

    message_id: str
    status: DeliveryStatus


class Provider(Protocol):
    """`name` is stored with each message, so that its status is asked where it was sent."""

    name: str
    status_batch: int

    def send(self, text: str, receptor: str, localid: str) -> Accepted:
        """Sends once per `localid`, however often it is called. `receptor` is E.164. Raises ProviderError."""

    def lookup(self, template: str, tokens: Mapping[str, str], receptor: str) -> Accepted:
        """Sends a text that the provider has approved; not protected against a repeated call. Raises ProviderError."""

    def statuses(self, message_ids: Sequence[str]) -> dict[str, DeliveryStatus]:
        """At most `status_batch` ids. Raises ProviderError."""

    def read_status(self, code: int) -> DeliveryStatus:
        """What the provider's own status code means."""


class Circuit:
    """Keeps a provider that cannot work at rest. One per process: a rest is short, and its cost is one call."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, tuple[float, str]] = {}

    def rest(self, provider: str, seconds: float, reason: str) -> None:
        if seconds > 0:
            self._until[provider] = (self._clock() + seconds, reason)

    def resting(self, provider: str) -> str | None:
        """The reason while it rests, else None."""
        until, reason = self._until.get(provider, (0.0, ""))
        return reason if self._clock() < until else None

    def left(self, provider: str) -> float:
        """Seconds until it has rested."""
        until, _ = self._until.get(provider, (0.0, ""))
        return max(0.0, until - self._clock())


_STATUSES = {
    1: DeliveryStatus.QUEUED,
    2: DeliveryStatus.QUEUED,
    4: DeliveryStatus.SENT,
    5: DeliveryStatus.SENT,
    6: DeliveryStatus.FAILED,
    10: DeliveryStatus.DELIVERED,
    11: DeliveryStatus.UNDELIVERED,
    13: DeliveryStatus.FAILED,
    14: DeliveryStatus.BLOCKED,
}
_RETRY = {402: "provider_failed", 409: "busy", 429: "too_many_calls", 451: "too_many_calls"}
_NEXT = {
    401: "account_disabled",
    403: "bad_key",
    404: "no_such_method",
    405: "no_such_method",
    407: "address_refused",
    412: "line_refused",
    416: "address_refused",
    418: "no_credit",
    426: "service_level",
    427: "line_refused",
    501: "test_account",
}
_NEXT_WITHOUT_REST = {420: "link_refused", 424: "template_unknown", 428: "call_refused"}
_GIVE_UP = {
    400: "bad_request",
    406: "bad_request",
    411: "bad_mobile",
    413: "bad_length",
    414: "too_many",
    417: "bad_request",
    419: "bad_request",
    422: "bad_letters",
    431: "bad_token",
    432: "bad_token",
}


class Kavenegar:
    """`base_url` without the key. `rest`: seconds at rest after a refusal of credit, key, address or line."""

    status_batch = 500

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        sender: str | None = None,
        name: str = "kavenegar",
        timeout: float = 10.0,
        rest: float = 300.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self._api_key = api_key
        self._sender = sender
        self._rest = rest
        self._client = httpx.Client(
            base_url=base_url.rstrip("/"),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            limits=httpx.Limits(max_connections=20),
            transport=transport,
            follow_redirects=False,
        )

    def __repr__(self) -> str:
        return f"Kavenegar({self.name!r})"

    def close(self) -> None:
        self._client.close()

    def send(self, text: str, receptor: str, localid: str) -> Accepted:
        form = {"receptor": _local(receptor), "message": text, "localid": localid}
        if self._sender:
            form["sender"] = self._sender
        return _accepted(self._call("sms/send", form))

    def lookup(self, template: str, tokens: Mapping[str, str], receptor: str) -> Accepted:
        form = {**tokens, "receptor": _local(receptor), "template": template, "type": "sms"}
        return _accepted(self._call("verify/lookup", form))

    def statuses(self, message_ids: Sequence[str]) -> dict[str, DeliveryStatus]:
        if not message_ids:
            return {}
        entries = self._call("sms/status", {"messageid": ",".join(message_ids[: self.status_batch])})
        return {
            str(entry["messageid"]): self.read_status(_number(entry.get("status")))
            for entry in entries
            if "messageid" in entry
        }

    def read_status(self, code: int) -> DeliveryStatus:
        return _STATUSES.get(code, DeliveryStatus.UNKNOWN)

    def _call(self, method: str, form: Mapping[str, str]) -> list[dict[str, Any]]:
        failure: ProviderError | None = None
        answer: httpx.Response | None = None
        try:
            answer = self._client.post(f"/v1/{self._api_key}/{method}.json", data=dict(form))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            failure = Retry("not_reached")
        except httpx.TimeoutException:
            failure = Retry("no_answer", ambiguous=True)
        except httpx.HTTPError:
            failure = Retry("broken_connection", ambiguous=True)
        if answer is None:
            # Raised outside the handler, so that httpx's exception is not even its context.
            raise failure or Retry("no_answer", ambiguous=True)
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> list[dict[str, Any]]:
        try:
            envelope = _lower(answer.json())
        except ValueError:
            envelope = None
        returned = envelope.get("return") if isinstance(envelope, dict) else None
        if not isinstance(returned, dict):
            # A proxy's page, not the provider's word: after a 2xx nobody can say what was done.
            raise Retry(
                f"unreadable_{answer.status_code}",
                ambiguous=answer.status_code < 400 or answer.status_code >= 500,
            )
        code = _number(returned.get("status"))
        if code == 200 and answer.is_success:
            entries = envelope.get("entries") if isinstance(envelope, dict) else None
            if isinstance(entries, dict):
                entries = [entries]
            return [entry for entry in entries or [] if isinstance(entry, dict)]
        raise self._refusal(code)

    def _refusal(self, code: int) -> ProviderError:
        if code in _RETRY:
            return Retry(_RETRY[code])
        if code in _NEXT:
            return NextProvider(_NEXT[code], rest=self._rest)
        if code in _NEXT_WITHOUT_REST:
            return NextProvider(_NEXT_WITHOUT_REST[code], rest=0)
        if code in _GIVE_UP:
            return GiveUp(_GIVE_UP[code])
        return Retry(f"status_{code}", ambiguous=code >= 500)


def _accepted(entries: list[dict[str, Any]]) -> Accepted:
    if not entries or "messageid" not in entries[0]:
        raise Retry("no_message_id", ambiguous=True)
    status = _STATUSES.get(_number(entries[0].get("status")), DeliveryStatus.UNKNOWN)
    return Accepted(str(entries[0]["messageid"]), status)


def _local(mobile: str) -> str:
    return "0" + mobile.removeprefix("+98") if mobile.startswith("+98") else mobile


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return -1


def _lower(value: Any) -> Any:
    """Keys in lower case at every depth: the provider's newer methods mix camelCase into its names."""
    if isinstance(value, dict):
        return {str(key).lower(): _lower(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_lower(inner) for inner in value]
    return value


def read_status(provider: str, code: int) -> DeliveryStatus:
    """What a status code that a provider pushed to us means; `provider` as the gateway names it."""
    return (
        _STATUSES.get(code, DeliveryStatus.UNKNOWN) if provider.split("-")[0] == "kavenegar" else DeliveryStatus.UNKNOWN
    )
