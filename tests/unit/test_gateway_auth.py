"""Access tokens: only ours, only now, only of the one algorithm."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from contracts.errors import BadToken
from contracts.vocabulary import ActorKind, Role
from gateway.auth.account_changes import AccountChanges
from gateway.auth.session_revocations import SessionRevocations
from gateway.auth.token_revocations import TokenRevocations
from gateway.auth.tokens import Tokens
from tests.support.gateway import UNLIMITED, Gateway, Keys, MemoryRabbitClient, bearer


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


@pytest.fixture
def tokens(keys: Keys) -> Tokens:
    public = [bytes.fromhex(keys.environment["ACCESS_TOKEN_PUBLIC_KEYS"])]
    rabbit = MemoryRabbitClient()
    return Tokens(
        public,
        bytes.fromhex(keys.environment["CONTACT_KEY"]),
        TokenRevocations(AccountChanges(rabbit)),
        SessionRevocations(rabbit),
    )


def forged(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


CLAIMS: dict[str, Any] = {"sub": str(uuid4()), "typ": "staff", "roles": ["head"], "exp": 4_000_000_000}


def test_a_good_token_identifies_its_caller(keys: Keys, tokens: Tokens) -> None:
    id_ = uuid4()
    caller = tokens.check(keys.staff("inspector", "head", unit="roads", sub=str(id_), name="بازرس نمونه"))

    assert (caller.kind, caller.id, caller.unit, caller.name) == (ActorKind.STAFF, id_, "roads", "بازرس نمونه")
    assert caller.roles == {Role.INSPECTOR, Role.HEAD}


def test_a_citizen_has_no_roles_even_if_the_token_claims_them(keys: Keys, tokens: Tokens) -> None:
    caller = tokens.check(keys.citizen("+989121234567", roles=["head"], unit="roads"))

    assert (caller.roles, caller.unit) == (frozenset(), None)
    assert tokens.mobile(caller) == "+989121234567"


def test_a_former_key_is_accepted(keys: Keys) -> None:
    other = Keys()
    public = [bytes.fromhex(issuer.environment["ACCESS_TOKEN_PUBLIC_KEYS"]) for issuer in (other, keys)]

    rabbit = MemoryRabbitClient()
    assert Tokens(public, bytes(32), TokenRevocations(AccountChanges(rabbit)), SessionRevocations(rabbit)).check(
        keys.staff("head")
    ).roles == {Role.HEAD}


@pytest.mark.parametrize(
    "attack",
    [
        lambda keys: forged({"alg": "none", "typ": "JWT"}, CLAIMS),
        lambda keys: forged({"alg": "None"}, CLAIMS),
        lambda keys: forged({"alg": "EdDSA"}, CLAIMS, bytes(64)),
        lambda keys: forged({"alg": "EdDSA", "crit": ["exp"]}, CLAIMS, bytes(64)),
        lambda keys: keys.staff("head", key=bytes(range(32))),
        lambda keys: keys.staff("head", exp=int(time.time()) - 1),
        lambda keys: keys.token(typ="refresh"),
        lambda keys: keys.token(typ="staff", roles=["emperor"]),
        lambda keys: keys.token(sub="not a uuid"),
        lambda keys: keys.token(exp=None),
        lambda keys: keys.token(exp="tomorrow"),
        lambda keys: keys.token(nbf=int(time.time()) + 3600),
        lambda keys: keys.staff("head")[:-4] + "AAAA",
        lambda keys: keys.staff("head").rsplit(".", 1)[0] + ".",
        lambda keys: "a.b.c",
        lambda keys: "." * 50,
        lambda keys: "x" * 10_000,
        lambda keys: "",
        lambda keys: "توکن",
    ],
)
def test_a_forged_token_is_rejected(keys: Keys, tokens: Tokens, attack: Any) -> None:
    with pytest.raises(BadToken):
        tokens.check(attack(keys))


def test_a_token_signed_with_the_public_key_as_a_secret_is_rejected(keys: Keys, tokens: Tokens) -> None:
    public = bytes.fromhex(keys.environment["ACCESS_TOKEN_PUBLIC_KEYS"])
    unsigned = forged({"alg": "HS256", "typ": "JWT"}, CLAIMS).rsplit(".", 1)[0]
    signature = base64.urlsafe_b64encode(hmac.new(public, unsigned.encode(), hashlib.sha256).digest()).rstrip(b"=")

    with pytest.raises(BadToken):
        tokens.check(f"{unsigned}.{signature.decode()}")


def test_a_cached_token_expires_too(keys: Keys, tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    token = keys.staff("head", exp=int(time.time()) + 60)
    tokens.check(token)
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)

    with pytest.raises(BadToken):
        tokens.check(token)


class TestAuthentication:
    @pytest.fixture(scope="class")
    def gateway(self, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
        state: Path = tmp_path_factory.mktemp("state")
        return Gateway(state, **UNLIMITED)

    def test_a_request_without_a_token_is_401(self, gateway: Gateway) -> None:
        answer = gateway.send("GET", "/v1/cases")

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("given", ["Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "bearer x y"])
    def test_a_wrong_header_is_401(self, gateway: Gateway, given: str) -> None:
        answer = gateway.send("GET", "/v1/me", headers={"Authorization": given})

        assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")

    def test_a_bad_token_is_refused_even_where_none_is_needed(self, gateway: Gateway) -> None:
        assert gateway.send("GET", "/v1/catalogue", headers=bearer("a.b.c")).status_code == 401
        assert gateway.file({}, **bearer("a.b.c")).status_code == 401

    def test_citizens_are_not_staff_and_staff_are_not_citizens(self, gateway: Gateway) -> None:
        assert gateway.send("GET", "/v1/cases", headers=bearer(gateway.keys.citizen())).status_code == 403
        assert gateway.send("GET", "/v1/me/cases", headers=bearer(gateway.keys.staff("head"))).status_code == 403
        assert gateway.rabbit.calls == []

    def test_me_shows_only_the_last_digits(self, gateway: Gateway) -> None:
        me = gateway.send("GET", "/v1/me", headers=bearer(gateway.keys.citizen("+989121234567"))).json()

        assert (me["kind"], me["mobile"]) == ("citizen", "4567")
