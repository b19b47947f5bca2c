"""Passwords and TOTP: argon2id (RFC 9106) and time-based one-time passwords (RFC 6238)."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from contracts.identifiers import compact_digits
from services.accounts.domain import password_form

STEP = 30
"""Seconds of one TOTP step."""
TOLERANCE = 1
"""Steps a clock may be wrong by, either way."""

_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """An argon2id hash with its salt and parameters; some 100 ms of one core and 64 MiB."""
    return _HASHER.hash(password_form(password))


def password_fits(password_hash: str, password: str) -> bool:
    """Whether the hash is this password's; the same work either way."""
    try:
        return _HASHER.verify(password_hash, password_form(password))
    except (Argon2Error, InvalidHashError):
        return False


def fresh_totp_secret() -> str:
    """Base32, 160 bits, as authenticator apps take it."""
    return pyotp.random_base32()


def fresh_password() -> str:
    """For a first sign-in: 120 bits, easily copied."""
    return secrets.token_urlsafe(15)


def totp_step(secret: str, told: str, at: datetime) -> int | None:
    """The step that a told code belongs to, or None when it fits none near `at`. Digits of any script."""
    digits = compact_digits(told) or ""
    totp, now_step = pyotp.TOTP(secret, interval=STEP), int(at.timestamp()) // STEP
    found = None
    for step in range(now_step - TOLERANCE, now_step + TOLERANCE + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
            found = step
    return found
