"""A session that ended is served by no gateway any more: neither by the one that ended it, nor by others, nor by one that
starts later."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.hostile_parts import another_gateway
from tests.e2e.people import JSON, ONE_TIME_CODE, Town, good
from tests.support.processes import eventually


@pytest.fixture(scope="module")
def other_gateway(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with another_gateway(town.system, tmp_path_factory.mktemp("other")) as (_, url):
        yield url


def signed_in(town: Town) -> JSON:
    """A citizen's tokens."""
    phone, caller = town.phone(), town.caller()
    good(caller.post("/v1/auth/codes", {"mobile": phone.mobile}))
    code = next(match for text in iter(phone.next, "") if (match := ONE_TIME_CODE.search(text))).group()
    tokens: JSON = good(caller.post("/v1/auth/tokens", {"mobile": phone.mobile, "code": code}))
    return tokens


def status(url: str, tokens: JSON) -> int:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return httpx.get(f"{url}/v1/me", headers=headers, trust_env=False, timeout=20).status_code


class Stream:
    """An open stream; `ended` is set when the gateway ends it."""

    def __init__(self, url: str, tokens: JSON) -> None:
        self.open, self.ended = threading.Event(), threading.Event()
        self._url, self._token = url, tokens["access_token"]
        threading.Thread(target=self._read, daemon=True).start()
        assert self.open.wait(20)

    def _read(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        with httpx.stream("GET", f"{self._url}/v1/stream", headers=headers, trust_env=False, timeout=120) as answer:
            for _ in answer.iter_lines():
                self.open.set()
        self.ended.set()


def test_a_signed_out_session_is_refused_everywhere(town: Town, other_gateway: str, tmp_path: Path) -> None:
    here = town.system.gateway_url
    tokens, stays = signed_in(town), signed_in(town)
    assert [status(url, tokens) for url in (here, other_gateway)] == [200, 200]
    streams = [Stream(url, tokens) for url in (here, other_gateway)]
    not_mine = Stream(other_gateway, stays)

    assert good(town.caller().post("/v1/auth/revoke", {"refresh_token": tokens["refresh_token"]})) == {}
    assert status(here, tokens) == 401  # at once
    eventually(lambda: status(other_gateway, tokens) == 401)
    assert all(stream.ended.wait(20) for stream in streams)
    assert not not_mine.ended.is_set()
    assert [status(url, stays) for url in (here, other_gateway)] == [200, 200]

    with another_gateway(town.system, tmp_path) as (_, later):
        eventually(lambda: status(later, tokens) == 401)
        assert status(later, stays) == 200


def test_a_stolen_refresh_token_ends_the_access_tokens_of_thief_and_owner(town: Town, other_gateway: str) -> None:
    caller, first = town.caller(), signed_in(town)
    second = good(caller.post("/v1/auth/refresh", {"refresh_token": first["refresh_token"]}))
    third = good(caller.post("/v1/auth/refresh", {"refresh_token": second["refresh_token"]}))
    assert [status(other_gateway, tokens) for tokens in (first, second, third)] == [200, 200, 200]

    assert caller.post("/v1/auth/refresh", {"refresh_token": first["refresh_token"]}).status_code == 401
    urls = (town.system.gateway_url, other_gateway)
    eventually(lambda: {status(url, tokens) for url in urls for tokens in (first, second, third)} == {401})
