"""A payload that only the subscribed browser can read (RFC 8291), and by which a push service knows its sender (RFC 8292).

By `cryptography` alone: pywebpush brings an HTTP client of its own, which asks no one where it may connect to, and http-ece has
seen no release in years; what is left of both is the few lines here, held against the example of RFC 8291.
"""

from __future__ import annotations

import base64
import json
import os
import struct
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_CURVE = ec.SECP256R1()
_POINT_BYTES, _SALT_BYTES, _TAG_BYTES = 65, 16, 16
AUTH_BYTES = 16
_LAST_RECORD = b"\x02"
_TOKEN_LIFE = timedelta(hours=12)  # RFC 8292, 2: at most 24


class BadKey(ValueError):
    """It is no public key of this curve, no private one, or of another length."""


def unpadded(data: bytes) -> str:
    """Base64url without its padding, as web push writes all binary values."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_unpadded(text: str) -> bytes:
    """The bytes of such a text; ValueError for another one."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def public_point(private_key: ec.EllipticCurvePrivateKey) -> bytes:
    """Its public key: 65 bytes."""
    return private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def read_private_key(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    """A private key of 32 bytes; BadKey."""
    try:
        return ec.derive_private_key(int.from_bytes(scalar), _CURVE)
    except ValueError:
        raise BadKey("no private key of P-256") from None


def read_public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    """A public key of 65 bytes; BadKey."""
    if len(point) != _POINT_BYTES:
        raise BadKey("no uncompressed point of P-256")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
    except ValueError:
        raise BadKey("no point of P-256") from None


def encrypt(
    payload: bytes,
    receiver: bytes,
    auth: bytes,
    padded_to: int = 0,
    *,
    sender: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body of a push in one record of aes128gcm. `receiver`: p256dh, 65 bytes; `auth`: 16; `padded_to`: bytes of payload and
    padding; `sender`, `salt`: new ones unless a test gives them. BadKey."""
    key, salt = sender or ec.generate_private_key(_CURVE), salt or os.urandom(_SALT_BYTES)
    own_point = public_point(key)
    shared = key.exchange(ec.ECDH(), read_public_key(receiver))
    secret = _expand(_mac(auth, shared), b"WebPush: info\0" + receiver + own_point, 32)  # RFC 8291, 3.4
    pseudo_random = _mac(salt, secret)
    content_key = _expand(pseudo_random, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _expand(pseudo_random, b"Content-Encoding: nonce\0", 12)
    record = payload + _LAST_RECORD + bytes(max(0, padded_to - len(payload)))
    # The size of a record (RFC 8188, 2.1): more than this one, which is therefore the last.
    header = salt + struct.pack("!IB", max(4096, len(record) + _TAG_BYTES + 1), len(own_point)) + own_point
    return header + AESGCM(content_key).encrypt(nonce, record, None)


def authorization(private_key: ec.EllipticCurvePrivateKey, audience: str, contact: str, moment: datetime) -> str:
    """The header Authorization (RFC 8292, 3). `audience`: origin of the push service; `contact`: mailto:… or https://…, or ""."""
    claims: dict[str, str | int] = {"aud": audience, "exp": int((moment + _TOKEN_LIFE).timestamp())}
    if contact:
        claims["sub"] = contact
    parts = ({"typ": "JWT", "alg": "ES256"}, claims)
    signed = ".".join(unpadded(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    first, second = decode_dss_signature(private_key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = unpadded(first.to_bytes(32) + second.to_bytes(32))
    return f"vapid t={signed}.{signature}, k={unpadded(public_point(private_key))}"


def _mac(key: bytes, message: bytes) -> bytes:
    code = hmac.HMAC(key, hashes.SHA256())
    code.update(message)
    return code.finalize()


def _expand(key: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(hashes.SHA256(), length, info).derive(key)
