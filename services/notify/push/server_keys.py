"""The keys by which push services know this installation (RFC 8292). A device is bound to the one it was subscribed with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from services.notify.push import encryption


class ServerKeys:
    """`scalars`: private keys, the current one first; none: no pushes are sent. BadKey. `contact`: whom push services write
    to."""

    def __init__(self, scalars: Sequence[bytes], contact: str) -> None:
        keys = [encryption.read_private_key(scalar) for scalar in scalars]
        self._by_public: dict[str, ec.EllipticCurvePrivateKey] = {
            encryption.unpadded(encryption.public_point(key)): key for key in keys
        }
        self._contact = contact

    @property
    def current(self) -> str | None:
        """The public key for new devices; None where there is none."""
        return next(iter(self._by_public), None)

    def authorization(self, public_key: str, audience: str, moment: datetime) -> str | None:
        """The header for a device of this key; None when its private key is held no more."""
        key = self._by_public.get(public_key)
        return None if key is None else encryption.authorization(key, audience, self._contact, moment)
