"""Fresh secrets for one installation: `python -m backbone.process.keys generate` prints them as KEY=value lines."""

from __future__ import annotations

import secrets
import sys

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backbone import sealing


def generate() -> dict[str, str]:
    """A complete set of keys by environment name; README of deploy/ tells who holds which."""
    intake, notify, token = (secrets.token_bytes(32) for _ in range(3))
    return {
        "CODE_MAC_KEYS": secrets.token_hex(32),
        "CODE_INDEX_KEYS": secrets.token_hex(32),
        "CODE_DERIVE_KEY": secrets.token_hex(32),
        "MOBILE_INDEX_KEY": secrets.token_hex(32),
        "INTAKE_PRIVATE_KEYS": intake.hex(),
        "INTAKE_PUBLIC_KEY": sealing.public_key(intake).hex(),
        "NOTIFY_PRIVATE_KEYS": notify.hex(),
        "NOTIFY_PUBLIC_KEY": sealing.public_key(notify).hex(),
        "IDENTITY_MASTER_KEYS": f"k1:{secrets.token_hex(32)}",
        "CONTACT_KEY": secrets.token_hex(32),
        "ACCESS_TOKEN_PRIVATE_KEY": token.hex(),
        "ACCESS_TOKEN_PUBLIC_KEYS": ed25519_public(token).hex(),
        "STAFF_SECRET_KEY": secrets.token_hex(32),
        "RECEIPT_PRIVATE_KEY": secrets.token_hex(32),
        "VAPID_PRIVATE_KEYS": p256_private().hex(),
        "SMS_WEBHOOK_SECRET": secrets.token_urlsafe(24),
        "S3_ACCESS_KEY": secrets.token_hex(10),
        "S3_SECRET_KEY": secrets.token_hex(20),
    }


def ed25519_public(seed: bytes) -> bytes:
    """The Ed25519 public key of a 32-byte seed."""
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def p256_private() -> bytes:
    """A random private key of the curve P-256: 32 bytes."""
    return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32)


if __name__ == "__main__":
    if sys.argv[1:] != ["generate"]:
        raise SystemExit("usage: python -m backbone.process.keys generate")
    print("\n".join(f"{name}={value}" for name, value in generate().items()))
