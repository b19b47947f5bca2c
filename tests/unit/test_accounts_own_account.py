"""The rules of one's own account: passwords that are chosen, recovery codes, passkeys' hosts, ID tokens."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from contracts.errors import OidcFailed, Unavailable
from gateway.edge.client_addresses import coarse_network
from gateway.edge.user_agents import agent_of
from services.accounts.oidc import rules as oidc_rules
from services.accounts.oidc.provider import Client, Provider
from services.accounts.passkeys.rules import rp_id_of
from services.accounts.passwords.breached import BreachedPasswords, wrong_with_list
from services.accounts.passwords.rules import wrong_with_new_password
from services.accounts.second_factors.rules import fresh_recovery_codes, recovery_code_form
from tests.support.accounts import sha1

AT = datetime(2026, 11, 26, 8, tzinfo=UTC)


class TestPasswords:
    @pytest.mark.parametrize(
        ("new", "reason"),
        [
            ("short pass1", "string_too_short"),
            ("ﷺﷺ", None),  # one character that is written as eighteen
            ("Inspector-Office", "password_is_username"),
            ("the present one", "password_unchanged"),
            ("aaaaaaaaaaaa", None),  # nothing is asked about what it is made of
            ("گذرواژه‌ای بلند", None),
        ],
    )
    def test_what_is_wrong_with_one_that_is_chosen(self, new: str, reason: str | None) -> None:
        wrong = wrong_with_new_password("inspector-office", "the present one", new, 12)
        assert (wrong and wrong["reason"]) == reason

    def test_each_line_of_a_list_is_found_and_nothing_else(self, tmp_path: Path) -> None:
        rng = random.Random(20)
        words = {f"password {rng.randrange(10**9)}" for _ in range(500)}
        file = tmp_path / "list"
        for ending in ("\n", "\r\n"):
            lines = sorted(f"{sha1(word)}:{rng.randrange(1, 10 ** rng.randrange(1, 8))}" for word in words)
            file.write_bytes((ending.join(lines) + ending).encode())
            breached = BreachedPasswords(file)
            assert all(breached.contains(word) for word in words)
            assert not any(breached.contains(f"another {number}") for number in range(500))

    def test_a_list_of_few_lines_without_counts(self, tmp_path: Path) -> None:
        file = tmp_path / "list"
        for words in (["one"], ["one", "two"], ["one", "two", "three"]):
            file.write_text("\n".join(sorted(sha1(word).lower() for word in words)))
            breached = BreachedPasswords(file)
            assert [word for word in ("one", "two", "three") if breached.contains(word)] == words

    def test_a_password_is_found_in_either_unicode_form(self, tmp_path: Path) -> None:
        file = tmp_path / "list"
        file.write_text(sha1("caf\u00e9 caf\u00e9 caf\u00e9") + ":3\n")
        assert BreachedPasswords(file).contains("cafe\u0301 cafe\u0301 cafe\u0301")

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("password\n", "no SHA-1"),
            ("", "no SHA-1"),
            (f"{'B' * 40}:1\n{'A' * 40}:2\n", "ascending"),
            (f"{'A' * 40}:1\n{'B' * 40}:2\n", None),
        ],
    )
    def test_a_file_that_is_no_list_is_refused(self, tmp_path: Path, text: str, problem: str | None) -> None:
        file = tmp_path / "list"
        file.write_text(text)
        found = wrong_with_list(file)
        assert found is None if problem is None else problem in (found or "")

    def test_a_password_that_cannot_be_looked_up_is_not_accepted(self, tmp_path: Path) -> None:
        file = tmp_path / "list"
        file.write_text(sha1("x"))
        breached = BreachedPasswords(file)
        file.unlink()
        with pytest.raises(Unavailable):
            breached.contains("anything")


class TestRecoveryCodes:
    def test_ten_different_ones_are_read_as_they_were_shown(self) -> None:
        codes = fresh_recovery_codes()
        assert len(set(codes)) == 10
        assert {recovery_code_form(code) for code in codes} == {code.replace("-", "") for code in codes}

    @pytest.mark.parametrize("typed", ["7k3mq-x0w2p", " 7K3MQ X0W2P ", "۷k۳mq–xow۲p", "7k3mqxOw2p"])
    def test_misread_letters_digits_and_dashes_are_set_right(self, typed: str) -> None:
        assert recovery_code_form(typed) == "7k3mqx0w2p"

    @pytest.mark.parametrize("typed", ["", "7k3mq", "7k3mq-x0w2pp", "7k3mq-x0w2!"])
    def test_what_can_be_none(self, typed: str) -> None:
        assert recovery_code_form(typed) is None


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://shekayat.qazvin.ir", "shekayat.qazvin.ir"),
        ("https://peygir.example:8443", "peygir.example"),
        ("http://localhost:8000", "localhost"),
        ("http://peygir.example", None),
        ("http://127.0.0.1:8000", None),
        ("https://[::1]", None),
        ("", None),
    ],
)
def test_passkeys_belong_to_a_host_with_a_name(origin: str, host: str | None) -> None:
    assert rp_id_of(origin) == host


@pytest.mark.parametrize(
    ("user_agent", "agent"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Windows"),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-A546E) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
            "Samsung Internet, Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1",
            "Safari, iOS",
        ),
        ("QazvinMan/3.2 (Android 13; somebody's phone)", "Android"),
        ("curl/8.5.0", None),
        ("", None),
    ],
)
def test_of_a_user_agent_the_family_alone_is_kept(user_agent: str, agent: str | None) -> None:
    assert agent_of(user_agent) == agent


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:12:34::5", "2001:db8:12::/48"),
        ("unknown", None),
    ],
)
def test_of_an_address_a_coarse_part_alone_is_kept(address: str, network: str | None) -> None:
    assert coarse_network(address) == network


# --- OpenID Connect ---

ISSUER, CLIENT_ID = "https://login.example", "peygir"
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT_ID,
    "sub": "42",
    "nonce": "once",
    "iat": AT.timestamp(),
    "exp": AT.timestamp() + 300,
}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({}, None),
        ({"aud": ["other", CLIENT_ID], "azp": CLIENT_ID}, None),
        ({"iss": f"{ISSUER}/"}, "iss"),
        ({"aud": "other"}, "aud"),
        ({"aud": ["other", CLIENT_ID]}, "azp"),
        ({"azp": "other"}, "azp"),
        ({"exp": AT.timestamp() - 61}, "exp"),
        ({"exp": None}, "exp"),
        ({"iat": AT.timestamp() + 61}, "iat"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"sub": ""}, "sub"),
    ],
)
def test_each_claim_of_an_id_token_is_checked(changed: dict[str, Any], wrong: str | None) -> None:
    assert oidc_rules.wrong_with_claims({**CLAIMS, **changed}, ISSUER, CLIENT_ID, "once", AT) == wrong


def test_an_address_that_the_provider_has_not_verified_is_nobodys_name() -> None:
    claims = {"email": "head@office.example", "preferred_username": "head"}
    assert oidc_rules.username_in(claims, "preferred_username") == "head"
    assert oidc_rules.username_in(claims, "email") is None
    assert oidc_rules.username_in({**claims, "email_verified": True}, "email") == "head@office.example"


def test_a_second_factor_of_the_provider_counts_only_by_the_words_that_are_trusted() -> None:
    trusted = {"acr": ("gold",), "amr": ("hwk",)}
    assert oidc_rules.asked_for_second_factor({"acr": "gold"}, **trusted)
    assert oidc_rules.asked_for_second_factor({"amr": ["pwd", "hwk"]}, **trusted)
    for claims in ({}, {"acr": "silver", "amr": ["pwd"]}, {"amr": "hwk"}):
        assert not oidc_rules.asked_for_second_factor(claims, **trusted)
    assert not oidc_rules.asked_for_second_factor({"acr": "gold", "amr": ["hwk"]}, (), ())


class PlayedProvider:
    """Answers httpx in place of a provider; its parts can be made wrong."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, parameters={"kid": "1"})
        self.claims: dict[str, Any] = {}
        self.token: str | None = None
        self.issuer = ISSUER
        self.requests: list[httpx.Request] = []
        self.up = True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if not self.up:
            raise httpx.ConnectError("down")
        path = request.url.path
        if path == "/.well-known/openid-configuration":
            names = ("authorization", "token", "userinfo")
            described = {f"{name}_endpoint": f"{ISSUER}/{name}" for name in names}
            return httpx.Response(200, json={"issuer": self.issuer, "jwks_uri": f"{ISSUER}/keys", **described})
        if path == "/keys":
            return httpx.Response(200, json=KeySet([self.key]).as_dict(private=False))
        if path == "/userinfo":
            return httpx.Response(200, json={"sub": self.claims["sub"], "preferred_username": "head", "acr": "gold"})
        signed = self.token or jwt.encode({"alg": "RS256", "kid": self.key.kid}, self.claims, self.key)
        return httpx.Response(200, json={"id_token": signed, "access_token": "a", "token_type": "Bearer"})

    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]


@pytest.fixture
def played() -> PlayedProvider:
    played = PlayedProvider()
    played.claims = {**CLAIMS, "iat": datetime.now(UTC).timestamp(), "exp": datetime.now(UTC).timestamp() + 300}
    played.claims["preferred_username"] = "inspector"
    return played


def provider(played: PlayedProvider, clock: list[float] | None = None) -> Provider:
    client = Client(ISSUER, CLIENT_ID, "s3cret&=", "https://peygir.example/sign-in/oidc", "openid profile")
    moments = clock or [0.0]
    return Provider(client, httpx.MockTransport(played), lambda: moments[-1])


class TestProvider:
    def test_the_code_is_exchanged_with_its_verifier_and_the_challenge_was_of_it(self, played: PlayedProvider) -> None:
        party = provider(played)
        url = httpx.URL(party.authorisation_url("state", "once", "verifier"))
        assert url.params["code_challenge_method"] == "S256"
        assert url.params["code_challenge"] == "iMnq5o6zALKXGivsnlom_0F5_WYda32GHkxlV7mq7hQ"
        assert party.claims("code", "once", "verifier", "preferred_username")["preferred_username"] == "inspector"
        [sent] = [request for request in played.requests if request.url.path == "/token"]
        form = dict(httpx.QueryParams(sent.content.decode()))
        assert form["code_verifier"] == "verifier"
        assert form["redirect_uri"] == "https://peygir.example/sign-in/oidc"
        assert sent.headers["authorization"] == httpx.BasicAuth("peygir", "s3cret%26%3D")._auth_header
        assert "s3cret" not in sent.content.decode()

    def test_addresses_and_keys_are_kept_and_a_new_key_is_asked_for_once_a_minute(self, played: PlayedProvider) -> None:
        clock = [0.0]
        party = provider(played, clock)
        for _ in range(3):
            party.claims("code", "once", "verifier", "preferred_username")
        assert [played.paths().count(path) for path in ("/.well-known/openid-configuration", "/keys")] == [1, 1]
        played.key = RSAKey.generate_key(2048, parameters={"kid": "2"})
        for _ in range(3):
            with pytest.raises(OidcFailed):
                party.claims("code", "once", "verifier", "preferred_username")
        assert played.paths().count("/keys") == 1
        clock.append(61.0)
        party.claims("code", "once", "verifier", "preferred_username")
        assert played.paths().count("/keys") == 2

    def test_a_token_of_no_key_or_of_the_clients_secret_is_none(self, played: PlayedProvider) -> None:
        party = provider(played)
        for token in (
            jwt.encode({"alg": "HS256"}, played.claims, OctKey.import_key("s3cret&=")),
            "eyJhbGciOiJub25lIn0.e30.",
            jwt.encode({"alg": "RS256"}, played.claims, RSAKey.generate_key(2048)),
            "nonsense",
        ):
            played.token = token
            with pytest.raises(OidcFailed):
                party.claims("code", "once", "verifier", "preferred_username")

    def test_a_claim_that_the_token_lacks_is_asked_for_and_nothing_else_is_believed(
        self, played: PlayedProvider
    ) -> None:
        del played.claims["preferred_username"]
        claims = provider(played).claims("code", "once", "verifier", "preferred_username")
        assert claims["preferred_username"] == "head"
        assert "acr" not in claims

    def test_a_provider_that_is_down_or_another_one_is_unavailable(self, played: PlayedProvider) -> None:
        played.issuer = "https://other.example"
        with pytest.raises(Unavailable):
            provider(played).authorisation_url("s", "n", "v")
        played.up = False
        with pytest.raises(Unavailable):
            provider(played).authorisation_url("s", "n", "v")


def test_the_challenge_of_pkce_is_the_hash_of_its_verifier() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert oidc_rules.challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
