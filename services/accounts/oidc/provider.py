"""What is asked of the provider of OpenID Connect: its addresses, its keys, and who signed in. Addresses and keys are kept for
an hour; an ID token signed with a key that is not among them has them asked for again, once a minute at most."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from backbone.process import logs
from contracts.base import now
from contracts.errors import OidcFailed, Unavailable
from services.accounts.oidc.rules import SIGNATURES, challenge_of, wrong_with_claims

log = logs.get("oidc")

_KEPT_SECONDS = 3600.0
_ASKED_AGAIN_SECONDS = 60.0
_TIMEOUT = httpx.Timeout(3.0)
_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Client:
    """As we are registered there. `secret`: empty: a public client, by PKCE alone."""

    issuer: str
    client_id: str
    secret: str
    redirect_url: str
    scopes: str


class Provider:
    """`transport`: of httpx, for tests; `clock`: seconds."""

    def __init__(
        self,
        client: Client,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._clock = client, clock
        self._http = httpx.Client(timeout=_TIMEOUT, follow_redirects=False, transport=transport)
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._registry = jws.JWSRegistry(algorithms=list(SIGNATURES))

    def authorisation_url(self, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes. Unavailable."""
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_url,
            "scope": self._client.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        endpoint = str(self._described()["authorization_endpoint"])
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    def claims(self, code: str, nonce: str, verifier: str, needed: str) -> Mapping[str, Any]:
        """Who signed in, for a code: the verified claims of the ID token; where `needed` is not among them, with those of the
        userinfo endpoint. OidcFailed, Unavailable."""
        tokens = self._exchange(code, verifier)
        claims = self._verified(str(tokens.get("id_token") or ""), nonce)
        endpoint, access_token = self._described().get("userinfo_endpoint"), tokens.get("access_token")
        if needed in claims or not endpoint or not isinstance(access_token, str):
            return claims
        more = self._json("GET", str(endpoint), headers={"authorization": f"Bearer {access_token}"})
        if more.get("sub") != claims["sub"]:  # Core 1.0, 5.3.2
            raise _failed("userinfo of somebody else")
        # Nothing else of it: whether a second factor was asked for, the signed ID token alone says.
        return {**{name: more[name] for name in (needed, "email_verified") if name in more}, **claims}

    def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        described, client = self._described(), self._client
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_url,
            "code_verifier": verifier,
        }
        auth = None
        methods = described.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if client.secret and "client_secret_basic" in methods:
            auth = httpx.BasicAuth(*(_form_encoded(part) for part in (client.client_id, client.secret)))
        elif client.secret:
            form |= {"client_id": client.client_id, "client_secret": client.secret}
        else:
            form |= {"client_id": client.client_id}
        return self._json("POST", str(described["token_endpoint"]), data=form, auth=auth)

    def _verified(self, id_token: str, nonce: str) -> dict[str, Any]:
        for fresh in (False, True):
            try:
                token = jwt.decode(id_token, self._key_set(fresh=fresh), registry=self._registry)
            except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
                problem = type(error).__name__
                continue
            at = now()
            wrong = wrong_with_claims(token.claims, self._client.issuer, self._client.client_id, nonce, at)
            if wrong is not None:
                raise _failed(f"claim {wrong}")
            return dict(token.claims)
        raise _failed(f"ID token: {problem}")

    def _described(self) -> dict[str, Any]:
        """Its discovery document (Discovery 1.0)."""
        if self._metadata is None or self._clock() - self._metadata[0] > _KEPT_SECONDS:
            issuer = self._client.issuer
            described = self._json("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration", at_provider=True)
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if described.get("issuer") != issuer or not all(_is_like(issuer, described.get(name)) for name in needed):
                log.error("the provider describes itself as another one, or without its addresses")
                raise Unavailable(retry_after=60)
            self._metadata = (self._clock(), described)
        return self._metadata[1]

    def _key_set(self, *, fresh: bool) -> KeySet:
        least = _ASKED_AGAIN_SECONDS if fresh else _KEPT_SECONDS
        if self._keys is None or self._clock() - self._keys[0] > least:
            answer = self._json("GET", str(self._described()["jwks_uri"]), at_provider=True)
            try:
                keys = KeySet.import_key_set({"keys": [key for key in answer["keys"] if key.get("kty") != "oct"]})
            except (JoseError, ValueError, TypeError, KeyError, AttributeError):
                log.error("the provider's keys cannot be read")
                raise Unavailable(retry_after=60) from None
            self._keys = (self._clock(), keys)
        return self._keys[1]

    def _json(self, method: str, url: str, *, at_provider: bool = False, **more: Any) -> dict[str, Any]:
        """What it answers. Unavailable where it does not; OidcFailed where it refuses, unless every refusal is the provider's
        own failure (`at_provider`)."""
        try:
            response = self._http.request(method, url, **more)
            answer = response.json() if len(response.content) <= _MOST_BYTES else None
        except (httpx.HTTPError, ValueError) as error:
            log.warning("the provider does not answer", error=type(error).__name__)
            raise Unavailable(retry_after=10) from None
        if response.is_success and isinstance(answer, dict):
            return answer
        if at_provider or response.status_code >= 500:
            log.warning("the provider fails", status=response.status_code)
            raise Unavailable(retry_after=10)
        raise _failed(f"refused with {response.status_code}")


def _failed(why: str) -> OidcFailed:
    log.warning("a sign-in by the provider failed", why=why)
    return OidcFailed()


def _is_like(issuer: str, url: object) -> bool:
    """An absolute address, by https where the issuer's is."""
    parts = urlsplit(url) if isinstance(url, str) else None
    return parts is not None and bool(parts.hostname) and parts.scheme in ("https", urlsplit(issuer).scheme)


def _form_encoded(text: str) -> str:
    """As client_secret_basic wants both parts (RFC 6749, 2.3.1)."""
    return urlencode({"": text})[1:]
