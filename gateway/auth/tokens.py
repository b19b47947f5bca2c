"""Access tokens: EdDSA, issued by accounts, verified here without asking it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cachetools import LRUCache
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from backbone import sealing
from contracts.errors import BadToken
from contracts.gateway import Actor
from contracts.vocabulary import ActorKind, Language, Role
from gateway.auth.session_revocations import SessionRevocations
from gateway.auth.token_revocations import TokenRevocations

_MAX_LENGTH = 4096
_CACHED_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is signed in. `contact`: a citizen's verified mobile, encrypted. `expires_at`: epoch seconds. `version`: of
    a staff account when the token was issued."""

    kind: ActorKind
    id: UUID
    roles: frozenset[Role]
    unit: str | None
    name: str | None
    session: str | None
    contact: str | None
    expires_at: float
    version: int = 0

    def actor(self, language: Language) -> Actor:
        return Actor(kind=self.kind, id=str(self.id), roles=self.roles, unit=self.unit, language=language)


class Tokens:
    """Verifies access tokens. The caller of a valid one is cached, so that its signature is verified once."""

    def __init__(
        self,
        public_keys: Sequence[bytes],
        contact_key: bytes,
        token_revocations: TokenRevocations,
        session_revocations: SessionRevocations,
    ) -> None:
        self._keys = [OKPKey.import_key(Ed25519PublicKey.from_public_bytes(key)) for key in public_keys]
        self._contact_key = contact_key
        self._token_revocations = token_revocations
        self._session_revocations = session_revocations
        # EdDSA alone: a token can choose neither "none" nor a symmetric algorithm.
        self._registry = jws.JWSRegistry(algorithms=["EdDSA"])
        self._callers: LRUCache[str, Caller] = LRUCache(_CACHED_TOKENS)

    def check(self, token: str) -> Caller:
        """The caller of this token; BadToken when its signature is wrong, it is not valid now, not an access token, was issued
        before its account was changed, or belongs to a session that has ended."""
        caller = self._callers.get(token)
        if caller is None:
            caller = self._verify(token)
            self._callers[token] = caller
        if caller.expires_at <= time.time() or self.is_revoked(caller):
            self._callers.pop(token, None)
            raise BadToken
        return caller

    def is_revoked(self, caller: Caller) -> bool:
        """Whether this caller's session has ended, or their account was changed, since the token was issued."""
        return self._token_revocations.is_revoked(caller.id, caller.version) or self._session_revocations.has_ended(
            caller.session
        )

    def mobile(self, caller: Caller) -> str | None:
        """A citizen's verified mobile in E.164."""
        if caller.kind is not ActorKind.CITIZEN or caller.contact is None:
            return None
        try:
            return sealing.decrypt(caller.contact, self._contact_key)
        except sealing.CannotOpen:
            raise BadToken from None

    def _verify(self, token: str) -> Caller:
        if len(token) > _MAX_LENGTH or not token.isascii():
            raise BadToken
        for key in self._keys:
            try:
                verified = jwt.decode(token, key, registry=self._registry)
            except (JoseError, ValueError, TypeError, KeyError, RecursionError):
                continue
            return _caller(verified.claims)
        raise BadToken


def _caller(claims: dict[str, Any]) -> Caller:
    try:
        expires_at = float(claims["exp"])
        if float(claims.get("nbf", 0)) > time.time() + 30 or not expires_at < float("inf"):
            raise BadToken
        kind = {"citizen": ActorKind.CITIZEN, "staff": ActorKind.STAFF}[claims["typ"]]
        contact = claims.get("ctc")
        return Caller(
            kind=kind,
            id=UUID(claims["sub"]),
            roles=frozenset(Role(role) for role in claims.get("roles") or ())
            if kind is ActorKind.STAFF
            else frozenset(),
            unit=claims.get("unit") if kind is ActorKind.STAFF else None,
            name=claims.get("name"),
            session=str(claims["sid"]) if claims.get("sid") is not None else None,
            contact=contact if isinstance(contact, str) else None,
            expires_at=expires_at,
            version=int(claims.get("ver", 0)),
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        raise BadToken from None
