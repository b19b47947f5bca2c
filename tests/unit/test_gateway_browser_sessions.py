"""The session of a browser: its cookie is as good as a token or a code, for requests of our own pages alone, and is asked for
once for all who share it."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from contracts import tracking_codes
from contracts.accounts import BrowserSession, EndedSession, RevokedSession, SessionEnded, Tokens
from contracts.base import now
from contracts.errors import BadToken, Unavailable, UnknownCase
from gateway.api.request_endpoints import RequestEndpoint
from gateway.app import _ROUTERS
from gateway.auth.browser_sessions import COOKIE, PLAIN_COOKIE
from gateway.edge.csrf import SAFE_METHODS
from tests.support.events import account_changed
from tests.support.gateway import CRITICISM, UNLIMITED, Gateway, bearer, reasons, refusing

OURS = {"X-Peygir-CSRF": "1", "Sec-Fetch-Site": "same-origin"}
"""What a request of our own pages' scripts has."""
SIGN_IN = {"method": "password", "username": "screener", "password": "-", "totp": "123456"}


class Accounts:
    """Plays the accounts service for one browser. `seconds`: for how long an answer is valid; `lost`: no such session."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.session_id, self.secret = gateway, uuid4(), secrets.token_urlsafe(32)
        self.staff_id, self.version, self.seconds, self.lost, self.resumed = uuid4(), 1, 900, False, 0
        self.by_code = False
        gateway.rabbit.answers |= {
            "accounts.sign_in_staff": lambda _: Tokens(access_token="a", refresh_token="r", expires_in=900),
            "accounts.verify_otp": lambda _: Tokens(access_token="a", refresh_token="r", expires_in=900),
            "accounts.open_browser_session": self._open,
            "accounts.resume_browser_session": self._resume,
            "accounts.end_browser_session": self._end,
        }

    def _open(self, request: Any) -> BrowserSession:
        self.by_code = request.refresh_token is None
        return self._answer().model_copy(update={"secret": self.secret})

    def _resume(self, request: Any) -> BrowserSession:
        self.resumed += 1
        if self.lost or request.secret != self.secret:
            raise BadToken
        return self._answer()

    def _end(self, _: Any) -> RevokedSession:
        self.lost = True
        return RevokedSession(ended=EndedSession(session_id=self.session_id, until=now() + timedelta(minutes=15)))

    def _answer(self) -> BrowserSession:
        claims: dict[str, Any] = {
            "sub": str(self.staff_id),
            "sid": str(self.session_id),
            "ver": self.version,
            "name": "غربالگر نمونه",
        }
        token = None if self.by_code else self.gateway.keys.staff("screener", **claims)
        return BrowserSession(
            session_id=self.session_id,
            expires_at=now() + timedelta(hours=12),
            valid_seconds=self.seconds,
            access_token=token,
        )


@pytest.fixture(scope="module")
def module_gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return Gateway(tmp_path_factory.mktemp("state"), public_url="https://peygir.example", **UNLIMITED)


@pytest.fixture
def gateway(module_gateway: Gateway) -> Gateway:
    module_gateway.rabbit.reset()
    module_gateway.container.browser_sessions._clock = time.time
    return module_gateway


@pytest.fixture
def accounts(gateway: Gateway) -> Accounts:
    return Accounts(gateway)


def opened(gateway: Gateway, body: dict[str, Any] | None = None) -> dict[str, str]:
    """A session of a browser, as the header of what it sends from then on."""
    answer = gateway.send("POST", "/v1/session", json=body or SIGN_IN, headers=OURS)
    assert answer.status_code == 201, answer.text
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def new_code(gateway: Gateway) -> str:
    return tracking_codes.mint(gateway.container.mac_keys)


def ended(*sessions: UUID) -> SessionEnded:
    return SessionEnded(id=uuid4(), occurred_at=now(), session_ids=list(sessions), until=now() + timedelta(minutes=15))


class TestCookie:
    def test_it_is_for_this_host_alone_and_no_script_reads_it(self, gateway: Gateway, accounts: Accounts) -> None:
        answer = gateway.send("POST", "/v1/session", json=SIGN_IN, headers=OURS)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=a.")
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert attributes == {"httponly", "secure", "path=/", "samesite=strict"}
        assert accounts.secret not in answer.text
        assert answer.headers["cache-control"] == "no-store"

    def test_it_outlives_the_browser_only_where_that_is_asked_for(self, gateway: Gateway, accounts: Accounts) -> None:
        answer = gateway.send("POST", "/v1/session", json=SIGN_IN | {"remember": True}, headers=OURS)
        assert "Max-Age=4" in answer.headers["set-cookie"]  # nearly 12 hours

    def test_over_plain_http_it_has_neither_prefix_nor_secure(self, tmp_path: Path) -> None:
        gateway = Gateway(tmp_path, public_url="http://127.0.0.1:8000", **UNLIMITED)
        Accounts(gateway)
        cookie = gateway.send("POST", "/v1/session", json=SIGN_IN, headers=OURS).headers["set-cookie"]
        assert cookie.startswith(f"{PLAIN_COOKIE}=")
        assert "secure" not in cookie.lower()
        own = opened(gateway)
        assert gateway.send("GET", "/v1/session", headers=own).json()["kind"] == "staff"

    def test_a_forged_value_costs_no_call(self, gateway: Gateway, accounts: Accounts) -> None:
        value = opened(gateway)["Cookie"].partition("=")[2]
        gateway.rabbit.calls.clear()
        other = f"a.{'t' * 43}.{value.rpartition('.')[2]}"
        for forged in (other, value[:-1], value.replace("a.", "c.", 1), "a..", "x" * 5000, '"', "a.b.c", ""):
            answer = gateway.send("GET", "/v1/session", headers={"Cookie": f"{COOKIE}={forged}"})
            assert answer.json()["kind"] == "nobody"
        assert gateway.rabbit.calls == []


class TestSessionView:
    def test_it_tells_who_is_signed_in_and_nothing_secret(self, gateway: Gateway, accounts: Accounts) -> None:
        view = gateway.send("GET", "/v1/session", headers=opened(gateway)).json()
        assert view["kind"] == "staff"
        assert view["by"] == "cookie"
        assert (view["name"], view["roles"]) == ("غربالگر نمونه", ["screener"])
        assert view["expires_at"]
        assert accounts.secret not in json.dumps(view)

    def test_nobody_is_told_so(self, gateway: Gateway) -> None:
        view = gateway.send("GET", "/v1/session")
        assert (view.status_code, view.json()["kind"], view.json()["ended"]) == (200, "nobody", False)

    def test_of_a_bearer_token_too(self, gateway: Gateway) -> None:
        view = gateway.send("GET", "/v1/session", headers=bearer(gateway.keys.citizen())).json()
        assert (view["kind"], view["by"], view["mobile"]) == ("citizen", "token", "4567")


class TestInPlaceOfOtherCredentials:
    def test_of_a_token(self, gateway: Gateway, accounts: Accounts) -> None:
        cookie = opened(gateway)
        assert gateway.send("GET", "/v1/me", headers=cookie).json()["roles"] == ["screener"]
        gateway.send("GET", "/v1/cases", headers=cookie)
        assert gateway.rabbit.calls[-1][0] == "tracking.list_cases"

    def test_of_a_code(self, gateway: Gateway, accounts: Accounts) -> None:
        code = new_code(gateway)
        cookie = opened(gateway, {"method": "tracking_code", "tracking_code": code})
        assert code not in cookie["Cookie"]
        gateway.rabbit.answers["tracking.view_by_code"] = refusing(UnknownCase())
        assert gateway.send("GET", "/v1/tracking", headers=cookie).json()["stage"] == "registering"
        [request] = [request for name, request in gateway.rabbit.calls if name == "tracking.view_by_code"]
        assert request.code_hashes == tracking_codes.hashes(code, gateway.container.index_keys)  # type: ignore[attr-defined]
        assert gateway.send("GET", "/v1/session", headers=cookie).json()["kind"] == "code"
        assert gateway.send("GET", "/v1/me", headers=cookie).status_code == 401

    def test_a_wrong_code_opens_nothing(self, gateway: Gateway, accounts: Accounts) -> None:
        wrong = {"method": "tracking_code", "tracking_code": "1111 2222 3333 4444"}
        answer = gateway.send("POST", "/v1/session", json=wrong, headers=OURS)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_tracking_code")
        assert "set-cookie" not in answer.headers

    def test_a_code_is_still_to_be_given_without_a_session_of_one(self, gateway: Gateway, accounts: Accounts) -> None:
        for headers in ({}, opened(gateway)):
            answer = gateway.send("GET", "/v1/tracking", headers=headers)
            assert (answer.status_code, reasons(answer)) == (422, {"Tracking-Code": "missing"})
            messages = gateway.send("GET", "/v1/tracking/messages", headers=headers)
            assert (messages.status_code, reasons(messages)) == (422, {"Tracking-Code": "missing"})

    def test_a_header_that_says_who_it_is_goes_before_the_cookie(self, gateway: Gateway, accounts: Accounts) -> None:
        cookie = opened(gateway)
        citizen = gateway.send("GET", "/v1/session", headers=cookie | bearer(gateway.keys.citizen())).json()
        assert citizen["kind"] == "citizen"
        assert gateway.send("GET", "/v1/me", headers=cookie | bearer("wrong")).status_code == 401
        # An app's request needs no CSRF header, cookie or not.
        filed = gateway.send("POST", "/v1/submissions", json=CRITICISM, headers=cookie | bearer(gateway.keys.citizen()))
        assert filed.json().get("code") != "csrf_refused"


class TestWrongBodies:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({}, {"method": "union_tag_not_found"}),
            ({"method": "magic"}, {"method": "union_tag_invalid"}),
            ({"method": "password", "username": "x", "totp": "1"}, {"password": "missing"}),
            ({"method": "one_time_code", "mobile": "0912"}, {"code": "missing"}),
            ({"method": "one_time_code", "mobile": "0912", "code": "1"}, {"mobile": "not_a_mobile"}),
            ({"method": "tracking_code"}, {"tracking_code": "missing"}),
        ],
    )
    def test_an_error_names_the_bodys_own_field(
        self, gateway: Gateway, body: dict[str, Any], expected: dict[str, str]
    ) -> None:
        assert reasons(gateway.send("POST", "/v1/session", json=body, headers=OURS)) == expected


CSRF: dict[str, tuple[dict[str, str], str | None]] = {
    "our script": ({"X-Peygir-CSRF": "1", "Sec-Fetch-Site": "same-origin"}, None),
    "our script, older browser": ({"X-Peygir-CSRF": "1", "Origin": "https://peygir.example"}, None),
    "our script, by another name of ours": ({"X-Peygir-CSRF": "1", "Origin": "https://gateway"}, None),
    "no header": ({"Sec-Fetch-Site": "same-origin"}, "header"),
    "an empty header": ({"X-Peygir-CSRF": " ", "Sec-Fetch-Site": "same-origin"}, "header"),
    "a form of another site": (
        {"Sec-Fetch-Site": "cross-site", "Content-Type": "application/x-www-form-urlencoded"},
        "header",
    ),
    "another site": ({"X-Peygir-CSRF": "1", "Sec-Fetch-Site": "cross-site"}, "origin"),
    "a neighbour": ({"X-Peygir-CSRF": "1", "Sec-Fetch-Site": "same-site"}, "origin"),
    "typed": ({"X-Peygir-CSRF": "1", "Sec-Fetch-Site": "none"}, "origin"),
    "another origin": ({"X-Peygir-CSRF": "1", "Origin": "https://evil.example"}, "origin"),
    "our host without TLS": ({"X-Peygir-CSRF": "1", "Origin": "http://peygir.example"}, "origin"),
    "null origin": ({"X-Peygir-CSRF": "1", "Origin": "null"}, "origin"),
    "no origin": ({"X-Peygir-CSRF": "1"}, "origin"),
    "another site that says it is ours": (
        {"X-Peygir-CSRF": "1", "Sec-Fetch-Site": "cross-site", "Origin": "https://peygir.example"},
        "origin",
    ),
}


class TestCrossSiteRequests:
    @pytest.mark.parametrize("name", CSRF)
    def test_only_a_script_of_our_own_pages_changes_anything(
        self, gateway: Gateway, accounts: Accounts, name: str
    ) -> None:
        headers, why = CSRF[name]
        cookie = opened(gateway)
        gateway.rabbit.calls.clear()
        for method, path in (("POST", f"/v1/cases/{uuid4()}/screening"), ("DELETE", "/v1/session"), ("PATCH", "/v1/x")):
            answer = gateway.send(method, path, headers=cookie | headers)
            refused = (
                answer.headers.get("content-type", "").endswith("json") and answer.json()["code"] == "csrf_refused"
            )
            assert refused == (why is not None), (method, answer.status_code, answer.text)
            if why is not None:
                assert (answer.status_code, answer.json()["params"]) == (403, {"why": why})
                assert gateway.rabbit.calls == []

    @pytest.mark.parametrize("name", [name for name, (_, why) in CSRF.items() if why])
    def test_another_site_signs_nobody_in_as_somebody_else(self, gateway: Gateway, name: str) -> None:
        accounts = Accounts(gateway)
        headers = {"Content-Type": "application/json"} | CSRF[name][0] | {"Content-Type": "application/json"}
        answer = gateway.send("POST", "/v1/session", content=json.dumps(SIGN_IN), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_refused")
        assert not accounts.resumed
        assert "accounts.sign_in_staff" not in [name for name, _ in gateway.rabbit.calls]

    def test_the_refusal_is_in_both_languages(self, gateway: Gateway, accounts: Accounts) -> None:
        cookie = opened(gateway)
        titles = {
            language: gateway.send("POST", "/v1/x", headers=cookie | {"Accept-Language": language}).json()["title"]
            for language in ("fa", "en")
        }
        assert "صفحه" in titles["fa"]
        assert "page" in titles["en"]

    def test_without_the_cookie_nothing_is_asked_of_anybody(self, gateway: Gateway, accounts: Accounts) -> None:
        gateway.container.catalogue_cache.load()
        assert gateway.send("POST", "/v1/submissions", json=CRITICISM).json().get("code") != "csrf_refused"
        cookie = opened(gateway)
        for path in ("/v1/auth/codes", "/v1/auth/refresh", "/v1/tracking", "/v1/webhooks/sms/kavenegar/x/inbound"):
            answer = gateway.send("POST", path, json={}, headers=cookie)
            assert answer.json().get("code") != "csrf_refused", path

    def test_other_origins_are_never_allowed_credentials(self, tmp_path: Path) -> None:
        app, evil = "https://app.example", "https://evil.example"
        gateway = Gateway(tmp_path, public_url="https://peygir.example", cors_origins=[app], **UNLIMITED)
        Accounts(gateway)
        cookie = opened(gateway)
        for origin in (app, evil, "null"):
            preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            asked = {"Access-Control-Request-Headers": "x-peygir-csrf,content-type"}
            answers = [
                gateway.send("OPTIONS", "/v1/session", headers=preflight | asked),
                gateway.send("GET", "/v1/session", headers=cookie | {"Origin": origin}),
            ]
            for answer in answers:
                assert "access-control-allow-credentials" not in answer.headers
                assert "x-peygir-csrf" not in answer.headers.get("access-control-allow-headers", "").lower()
                assert answer.headers.get("access-control-allow-origin") in (None, app)

    def test_no_safe_method_changes_anything(self) -> None:
        """None of their requests is a command: with a key under which its effect happens once, or the version it saw. (Providers
        of SMS push by GET, too, with a secret and never by the cookie.)"""
        named = set()
        for route in (route for module in _ROUTERS for route in module.router.routes):
            for request_type in _rpc_requests(route):
                named.add(request_type)
                assert "idempotency_key" not in request_type.model_fields, request_type
                assert "expected_version" not in request_type.model_fields, request_type
        assert len(named) > 20
        assert {"GET", "HEAD", "OPTIONS"} == SAFE_METHODS


def _rpc_requests(route: Any) -> list[Any]:
    if not getattr(route, "methods", set()) <= SAFE_METHODS:
        return []
    closure = getattr(getattr(route, "endpoint", None), "__closure__", None) or ()
    entries = [cell.cell_contents for cell in closure]
    return [entry.rpc.request for entry in entries if isinstance(entry, RequestEndpoint)]


class TestSharedByTabs:
    def test_requests_of_many_tabs_cost_no_call_each(self, gateway: Gateway, accounts: Accounts) -> None:
        cookie = opened(gateway)
        for _ in range(20):
            assert gateway.send("GET", "/v1/me", headers=cookie).status_code == 200
        assert accounts.resumed == 0

    def test_another_gateway_asks_once(self, gateway: Gateway, accounts: Accounts, tmp_path: Path) -> None:
        cookie = opened(gateway)
        settings = {name: getattr(gateway.settings, name) for name in ("code_derive_key", "access_token_public_keys")}
        other = Gateway(tmp_path / "other", public_url="https://peygir.example", **UNLIMITED, **settings)
        other.rabbit.answers = gateway.rabbit.answers
        for _ in range(5):
            assert other.send("GET", "/v1/me", headers=cookie).status_code == 200
        assert accounts.resumed == 1

    def test_all_who_wait_for_a_renewal_share_it(self, gateway: Gateway, accounts: Accounts) -> None:
        cookie = opened(gateway)
        accounts.seconds = 0  # each answer is to be renewed at once
        sessions = gateway.container.browser_sessions
        sessions._sessions.clear()

        async def many() -> list[int]:
            release = asyncio.Event()
            call = gateway.rabbit.call

            async def slow(*arguments: Any, **more: Any) -> Any:
                await release.wait()
                return await call(*arguments, **more)

            gateway.rabbit.call = slow  # type: ignore[method-assign]
            value = cookie["Cookie"].partition("=")[2]
            tasks = [asyncio.create_task(sessions.find(value)) for _ in range(10)]
            await asyncio.sleep(0)
            tasks[0].cancel()  # one tab is closed; the others go on
            release.set()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            gateway.rabbit.call = call  # type: ignore[method-assign]
            return [1 for session in found if getattr(session, "id", None) == str(accounts.session_id)]

        assert len(asyncio.run(many())) == 9
        assert accounts.resumed == 1

    def test_while_accounts_is_away_a_session_holds_until_what_is_known_is_over(
        self, gateway: Gateway, accounts: Accounts
    ) -> None:
        clock = [time.time()]
        gateway.container.browser_sessions._clock = lambda: clock[0]
        cookie = opened(gateway)
        gateway.rabbit.answers["accounts.resume_browser_session"] = refusing(Unavailable(retry_after=5))
        clock[0] += 870  # to be renewed
        assert gateway.send("GET", "/v1/me", headers=cookie).status_code == 200
        clock[0] += 60
        assert gateway.send("GET", "/v1/me", headers=cookie).status_code == 503


class TestEnd:
    def test_signing_out_ends_it_at_once_and_takes_the_cookie_back(self, gateway: Gateway, accounts: Accounts) -> None:
        cookie = opened(gateway)
        answer = gateway.send("DELETE", "/v1/session", headers=cookie | OURS)
        assert answer.status_code == 204
        taken_back = answer.headers["set-cookie"]
        assert taken_back.startswith((f'{COOKIE}="";', f"{COOKIE}=;"))
        assert "Max-Age=0" in taken_back
        assert gateway.send("GET", "/v1/me", headers=cookie).status_code == 401
        view = gateway.send("GET", "/v1/session", headers=cookie).json()
        assert (view["kind"], view["ended"]) == ("nobody", True)

    def test_what_was_ended_elsewhere_is_refused_when_that_is_told(self, gateway: Gateway, accounts: Accounts) -> None:
        cookie = opened(gateway)
        gateway.rabbit.deliver_event(SessionEnded.name, ended(accounts.session_id).model_dump_json())
        answer = gateway.send("GET", "/v1/me", headers=cookie)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")

    def test_who_meant_to_be_signed_in_changes_nothing_as_nobody_and_reads_what_everybody_may(
        self, gateway: Gateway, accounts: Accounts
    ) -> None:
        cookie = opened(gateway)
        accounts.lost = True
        gateway.rabbit.deliver_event(SessionEnded.name, ended(accounts.session_id).model_dump_json())
        filed = gateway.send("POST", "/v1/submissions", json=CRITICISM, headers=cookie | OURS)
        assert (filed.status_code, filed.json()["code"]) == (401, "bad_token")
        assert gateway.rabbit.published == []
        assert gateway.send("GET", "/v1/receipts/key", headers=cookie).status_code == 200
        accounts.session_id = uuid4()
        assert gateway.send("POST", "/v1/session", json=SIGN_IN, headers=cookie | OURS).status_code == 201

    def test_a_changed_account_goes_on_as_it_is_now(self, gateway: Gateway, accounts: Accounts) -> None:
        cookie = opened(gateway)
        accounts.version = 2
        event = account_changed(staff_id=accounts.staff_id, version=2)
        gateway.rabbit.deliver_event(event.name, event.model_dump_json())
        assert gateway.send("GET", "/v1/me", headers=cookie).status_code == 200
        assert accounts.resumed == 1
        accounts.lost = True  # and a closed one not
        event = account_changed(staff_id=accounts.staff_id, version=3)
        gateway.rabbit.deliver_event(event.name, event.model_dump_json())
        assert gateway.send("GET", "/v1/me", headers=cookie).status_code == 401

    def test_the_session_before_ends_when_another_is_opened(self, gateway: Gateway, accounts: Accounts) -> None:
        cookie = opened(gateway)
        gateway.rabbit.calls.clear()
        gateway.send("POST", "/v1/session", json=SIGN_IN, headers=cookie | OURS)
        assert "accounts.end_browser_session" in [name for name, _ in gateway.rabbit.calls]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        for _ in iter(holds, True):
            await asyncio.sleep(0.01)


def frames(gateway: Gateway, headers: dict[str, str], meanwhile: Callable[[], None]) -> httpx.Response:
    """A stream that is read to its end; `meanwhile` happens when it is open."""

    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(gateway.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
            task = asyncio.create_task(client.get("/v1/stream"))
            await until(lambda: bool(gateway.container.event_stream._subscribers) or task.done())
            meanwhile()
            async with asyncio.timeout(20):
                return await task

    return asyncio.run(go())


class TestStreams:
    @pytest.mark.parametrize("by_code", [False, True])
    def test_the_stream_of_a_session_ends_with_it(self, gateway: Gateway, accounts: Accounts, by_code: bool) -> None:
        code = {"method": "tracking_code", "tracking_code": new_code(gateway)}
        gateway.rabbit.answers["tracking.view_by_code"] = refusing(UnknownCase())
        cookie = opened(gateway, code if by_code else None)
        event = ended(accounts.session_id)
        answer = frames(
            gateway, cookie, lambda: gateway.rabbit.deliver_event(SessionEnded.name, event.model_dump_json())
        )
        assert answer.text.startswith(": open")
        assert gateway.send("GET", "/v1/stream", headers=cookie).status_code == 401

    def test_it_goes_on_while_its_session_is_renewed(self, gateway: Gateway, accounts: Accounts) -> None:
        accounts.seconds = 1
        cookie = opened(gateway)
        seen: list[int] = []

        async def go() -> None:
            transport = httpx.ASGITransport(gateway.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=cookie) as client:
                task = asyncio.create_task(client.get("/v1/stream"))
                await until(lambda: accounts.resumed >= 3)
                seen.append(len(gateway.container.event_stream._subscribers))
                accounts.lost = True
                async with asyncio.timeout(20):
                    await task

        asyncio.run(go())
        assert seen == [1]
        assert accounts.resumed == 4
