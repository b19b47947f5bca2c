"""Kavenegar's HTTP API (sms-providers).

The API key is part of Kavenegar's URLs. So no URL is ever logged here, and httpx's own exceptions, which carry the request,
never leave this module, not even as a `__context__`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Self

import httpx
from pydantic import Field, SecretStr, model_validator

from contracts.characters import latin_digits
from contracts.gateway import PushKind, SmsPush
from services.notify.providers import pushes
from services.notify.providers.protocol import (
    Accepted,
    Capabilities,
    DeliveryReceipt,
    DeliveryStatus,
    GiveUp,
    InboundText,
    MalformedPush,
    NextProvider,
    ProviderError,
    ProviderSettings,
    PushItem,
    Retry,
    SmsProvider,
)

# httpx logs each request with its URL at INFO, and httpcore at DEBUG.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class KavenegarSettings(ProviderSettings):
    """`kavenegar_base_url`: its address, without the key. `kavenegar_api_key`: of our account. `sms_sender`: the line.
    `kavenegar_reserve_base_url`, `kavenegar_reserve_api_key`: of a second account or line, which takes over while the first one
    cannot send. `sms_reserve_sender`: its line. `kavenegar_timeout`: seconds.
    """

    kavenegar_base_url: str
    kavenegar_api_key: SecretStr
    sms_sender: str
    kavenegar_reserve_base_url: str | None = None
    kavenegar_reserve_api_key: SecretStr | None = None
    sms_reserve_sender: str | None = None
    kavenegar_timeout: float = Field(default=10.0, gt=0, le=30)

    @model_validator(mode="after")
    def _whole_reserve(self) -> Self:
        reserve = (self.kavenegar_reserve_base_url, self.kavenegar_reserve_api_key)
        if any(reserve) and not all(reserve):
            raise ValueError("KAVENEGAR_RESERVE_BASE_URL and KAVENEGAR_RESERVE_API_KEY belong together")
        return self

    def accounts(self) -> Sequence[SmsProvider]:
        accounts = [
            Kavenegar(
                base_url=self.kavenegar_base_url,
                api_key=self.kavenegar_api_key.get_secret_value(),
                sender=self.sms_sender,
                timeout=self.kavenegar_timeout,
            )
        ]
        if self.kavenegar_reserve_base_url and self.kavenegar_reserve_api_key:
            accounts.append(
                Kavenegar(
                    base_url=self.kavenegar_reserve_base_url,
                    api_key=self.kavenegar_reserve_api_key.get_secret_value(),
                    sender=self.sms_reserve_sender,
                    name="kavenegar-reserve",
                    timeout=self.kavenegar_timeout,
                )
            )
        return accounts


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
_UNAVAILABLE = {
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
_OTHER_PROVIDER = {420: "link_refused", 424: "template_unknown", 428: "call_refused"}
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


# The panel sets the addresses of pushes; their shape is not documented, so aliases are read (sms-providers).
_SENDER_FIELDS = ("from", "sender", "sendernumber", "mobile")
_TEXT_FIELDS = ("message", "text", "body", "messagetext", "messagebody")
_ID_FIELDS = ("messageid", "message_id", "id", "msgid", "recid")
_STATUS_FIELDS = ("status", "deliverystatus", "deliverystate")
_MAX_STATUS_DIGITS = 6


class Kavenegar:
    """`base_url` without the key."""

    capabilities = Capabilities(
        deduplicates=True,
        templates=True,
        status_batch=500,
        pushes=frozenset({PushKind.DELIVERY, PushKind.INBOUND}),
    )

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        sender: str | None = None,
        name: str = "kavenegar",
        timeout: float = 10.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self._api_key = api_key
        self._sender = sender
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

    def send(self, text: str, recipient: str, client_reference: str) -> Accepted:
        form = {"receptor": _local(recipient), "message": text, "localid": client_reference}
        if self._sender:
            form["sender"] = self._sender
        return _accepted(self._call("sms/send", form))

    def send_template(self, template: str, tokens: Mapping[str, str], recipient: str) -> Accepted:
        form = {**tokens, "receptor": _local(recipient), "template": template, "type": "sms"}
        return _accepted(self._call("verify/lookup", form))

    def statuses(self, message_ids: Sequence[str]) -> dict[str, DeliveryStatus]:
        if not message_ids:
            return {}
        entries = self._call("sms/status", {"messageid": ",".join(message_ids[: self.capabilities.status_batch])})
        return {
            str(entry["messageid"]): _status(_number(entry.get("status"))) for entry in entries if "messageid" in entry
        }

    def parse_push(self, push: SmsPush) -> Sequence[PushItem]:
        return pushes.read_items(push, _receipt if push.kind is PushKind.DELIVERY else _inbound_text)

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
            # A proxy's page, not the provider's answer: after a 2xx or 5xx it is unknown what was done.
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

    @staticmethod
    def _refusal(code: int) -> ProviderError:
        if code in _RETRY:
            return Retry(_RETRY[code])
        if code in _UNAVAILABLE:
            return NextProvider(_UNAVAILABLE[code])
        if code in _OTHER_PROVIDER:
            return NextProvider(_OTHER_PROVIDER[code], unavailable=False)
        if code in _GIVE_UP:
            return GiveUp(_GIVE_UP[code])
        return Retry(f"status_{code}", ambiguous=code >= 500)


def _accepted(entries: list[dict[str, Any]]) -> Accepted:
    if not entries or "messageid" not in entries[0]:
        raise Retry("no_message_id", ambiguous=True)
    return Accepted(str(entries[0]["messageid"]), _status(_number(entries[0].get("status"))))


def _status(code: int) -> DeliveryStatus:
    return _STATUSES.get(code, DeliveryStatus.UNKNOWN)


def _receipt(fields: Mapping[str, str]) -> DeliveryReceipt:
    message_id, status = pushes.first(fields, _ID_FIELDS), pushes.first(fields, _STATUS_FIELDS)
    if message_id is None or status is None:
        raise MalformedPush(cause="a delivery receipt without messageid or status")
    digits = latin_digits(status.strip())
    number = digits.removeprefix("-")
    if not (number.isascii() and number.isdigit() and len(number) <= _MAX_STATUS_DIGITS):
        raise MalformedPush(cause="a delivery receipt whose status is no number")
    return DeliveryReceipt(message_id, _status(int(digits)))


def _inbound_text(fields: Mapping[str, str]) -> InboundText:
    # An empty text is a text: whoever sent it gets the help.
    sender, text = pushes.first(fields, _SENDER_FIELDS), pushes.first_given(fields, _TEXT_FIELDS)
    if sender is None or text is None:
        raise MalformedPush(cause="an inbound text without from or message")
    return InboundText(sender, text, pushes.first(fields, _ID_FIELDS))


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
