"""Who asks: EdDSA access tokens made by accounts, checked here alone."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

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

_LONGEST = 4096
_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody signed in. `contact`: a citizen's verified mobile, still locked. `expires_at`: epoch seconds. `version`: of
    the account, a member of staff's, when the token was made."""

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
    """Checks access tokens. One that was good is remembered until it expires, so that its signature is checked once."""

    def __init__(
        self,
        public_keys: Sequence[bytes],
        contact_key: bytes,
        token_revocations: TokenRevocations,
        session_revocations: SessionRevocations,
    ) -> None:
        self._keys = [OKPKey.import_key(Ed25519PublicKey.from_public_bytes(key)) for key in public_keys]
        self._contact_key = contact_key
        self._standing = token_revocations
        self._revocations = session_revocations
        # EdDSA alone: neither none nor a symmetric algorithm can be asked for by a token.
        self._registry = jws.JWSRegistry(algorithms=["EdDSA"])
        self._good: OrderedDict[str, Caller] = OrderedDict()

    def check(self, token: str) -> Caller:
        """The caller this token names; BadToken when it is not ours, not valid now, not an access token, made before its
        account was changed, or of a session that has ended."""
        signed_in = self._good.get(token)
        if signed_in is None:
            signed_in = self._verified(token)
            self._good[token] = signed_in
            if len(self._good) > _KEPT:
                self._good.popitem(last=False)
        if signed_in.expires_at <= time.time():
            self._good.pop(token, None)
            raise BadToken
        if self.is_revoked(signed_in):
            self._good.pop(token, None)
            raise BadToken
        return signed_in

    def is_revoked(self, caller: Caller) -> bool:
        """Whether this caller's session has ended, or their account was changed, since the token was made."""
        return self._standing.is_past(caller.id, caller.version) or self._revocations.has_ended(caller.session)

    def mobile(self, caller: Caller) -> str | None:
        """A citizen's verified mobile in E.164."""
        if caller.kind is not ActorKind.CITIZEN or caller.contact is None:
            return None
        try:
            return sealing.decrypt(caller.contact, self._contact_key)
        except sealing.CannotOpen:
            raise BadToken from None

    def _verified(self, token: str) -> Caller:
        if len(token) > _LONGEST or not token.isascii():
            raise BadToken
        for key in self._keys:
            try:
                checked = jwt.decode(token, key, registry=self._registry)
            except (JoseError, ValueError, TypeError, KeyError, RecursionError):
                continue
            return _caller(checked.claims)
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
