"""One signed POST to a partner system: to an address that was judged, without redirects, within bounds of time and size."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import httpx

from services.notify.webhooks.addresses import (
    AnyAddress,
    AnyNetwork,
    Target,
    UrlRefused,
    allowed_addresses,
    parse_target,
)

# Addresses of partners may hold a token in their path, and httpx logs each one.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a name."""

_MOST_READ = 2048
_EXCERPT = 200
_MOST_ADDRESSES = 3


class DeliveryFailed(Exception):
    """`reason`: in a word, for the log of deliveries. `response_code`, `answer`, `retry_after` (the header): of an answer, where
    there was one."""

    def __init__(
        self,
        reason: str,
        response_code: int | None = None,
        answer: str | None = None,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason, self.response_code, self.answer, self.retry_after = reason, response_code, answer, retry_after


@dataclass(frozen=True)
class Taken:
    """The partner has taken it. `answer`: the beginning of what it said."""

    response_code: int
    answer: str | None


def resolve(host: str, port: int) -> list[str]:
    """As the machine resolves names; nothing when there is no such name."""
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return []


class WebhookClient:
    """`networks`: which may be called though they are not public. `timeout`: seconds for each step, and for an answer. `agent`:
    how it names itself."""

    def __init__(
        self,
        networks: Sequence[AnyNetwork],
        ports: Collection[int],
        timeout: float,
        resolve: Resolve = resolve,
        agent: str = "Peygir-Webhooks/1",
    ) -> None:
        self._networks, self._ports, self._timeout, self._resolve = networks, ports, timeout, resolve
        self._agent = agent
        self._tls: ssl.SSLContext = httpx.create_ssl_context(trust_env=False)

    def check(self, url: str) -> None:
        """UrlRefused for an address that is never called, whatever its name resolves to."""
        parse_target(url, self._ports, self._networks)

    def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Taken:
        """What a partner answered. DeliveryFailed unless it has taken it."""
        try:
            target = parse_target(url, self._ports, self._networks)
        except UrlRefused:
            raise DeliveryFailed("address_refused") from None
        failure = DeliveryFailed("not_reached")
        for address in self._addresses(target)[:_MOST_ADDRESSES]:
            try:
                return self._post(target, address, headers, content)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # the next address; nothing was sent
            except httpx.TimeoutException:
                failure = DeliveryFailed("timed_out")
            except httpx.HTTPError:
                failure = DeliveryFailed("broken_connection")
            break
        raise failure

    def _addresses(self, target: Target) -> list[AnyAddress]:
        resolved = [str(target.address)] if target.address else self._resolve(target.host, target.port)
        if not resolved:
            raise DeliveryFailed("name_unknown")
        try:
            return allowed_addresses(resolved, self._networks)
        except UrlRefused:
            raise DeliveryFailed("address_refused") from None

    def _post(self, target: Target, address: AnyAddress, headers: Mapping[str, str], content: bytes) -> Taken:
        # The name is not resolved a second time: the connection goes to the address that was judged, and TLS still proves the
        # name. A client of its own, so that no connection to the same address under another name is used.
        sent = {**headers, "host": target.authority, "accept-encoding": "identity", "user-agent": self._agent}
        extensions = {"sni_hostname": target.host} if target.scheme == "https" else {}
        with httpx.Client(verify=self._tls, timeout=self._timeout, trust_env=False, follow_redirects=False) as client:
            url = target.at(address)
            with client.stream("POST", url, headers=sent, content=content, extensions=extensions) as response:
                answer = self._excerpt(response)
                if response.is_success:
                    return Taken(response.status_code, answer)
                reason = "redirects" if 300 <= response.status_code < 400 else "refused"
                if response.status_code == httpx.codes.GONE:
                    reason = "gone"
                raise DeliveryFailed(reason, response.status_code, answer, response.headers.get("retry-after"))

    def _excerpt(self, response: httpx.Response) -> str | None:
        """The beginning of an answer, as far as it comes in time: its status alone decides."""
        read, until = b"", time.monotonic() + self._timeout
        try:
            for chunk in response.iter_raw():
                read += chunk
                if len(read) >= _MOST_READ or time.monotonic() > until:
                    break
        except httpx.HTTPError:
            pass
        shown = "".join(
            character if character.isprintable() else " " for character in read[:_MOST_READ].decode("utf-8", "replace")
        )
        return shown.strip()[:_EXCERPT] or None
