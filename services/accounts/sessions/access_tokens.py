"""Access tokens: short-lived JWTs that the gateway checks alone (contracts/accounts.py, Tokens)."""

from __future__ import annotations

import warnings
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from uuid import UUID

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey

from backbone import sealing
from backbone.process.keys import ed25519_public
from backbone.process.settings import secret
from services.accounts.sessions.rules import Subject
from services.accounts.settings import Settings

# RFC 9864 renames EdDSA to Ed25519; EdDSA is what every library of today understands.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)


class AccessTokens:
    """Signs them. `valid`: how long one is valid at most."""

    def __init__(self, settings: Settings) -> None:
        seed = secret(settings.access_token_private_key)
        self._key = OKPKey.import_key(
            {"kty": "OKP", "crv": "Ed25519", "x": _base64(ed25519_public(seed)), "d": _base64(seed)}
        )
        self._contact_key = secret(settings.contact_key)
        self.valid = timedelta(seconds=settings.access_seconds)

    def sign(self, subject: Subject, session_id: UUID, at: datetime, session_expires_at: datetime) -> tuple[str, int]:
        """A token of a session, and for how many seconds it is valid: never longer than its session."""
        expires_at = min(at + self.valid, session_expires_at)
        claims = {
            "sub": str(subject.id),
            "typ": subject.type,
            "roles": [role.value for role in subject.roles],
            "unit": subject.unit,
            "name": subject.name,
            "sid": str(session_id),
            "iat": int(at.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        if subject.version is not None:
            claims["ver"] = subject.version
        if subject.mobile is not None:
            claims["ctc"] = sealing.encrypt(subject.mobile, self._contact_key)
        token = jwt.encode({"alg": "EdDSA", "typ": "JWT"}, claims, self._key, algorithms=["EdDSA"])
        return token, int(expires_at.timestamp()) - int(at.timestamp())


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
