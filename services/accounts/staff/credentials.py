"""Passwords and TOTP: argon2id (RFC 9106) and time-based one-time passwords (RFC 6238)."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from contracts.identifiers import compact_digits
from services.accounts.staff.rules import password_form

STEP = 30
"""Seconds of one TOTP step."""
TOLERANCE = 1
"""Steps a clock may be wrong by, either way."""

_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


@dataclass(frozen=True)
class Credentials:
    """What an account is signed in to with, in clear: handed over once and stored nowhere."""

    password: str
    totp_secret: str

    def hashed(self) -> HashedCredentials:
        """As an account takes them."""
        return HashedCredentials(hash_password(self.password), self.totp_secret)


@dataclass(frozen=True)
class HashedCredentials:
    """What an account is given: the argon2id hash of its password, and its TOTP secret, still to be encrypted."""

    password_hash: str
    totp_secret: str


def fresh_credentials() -> Credentials:
    """For a first sign-in."""
    return Credentials(fresh_password(), fresh_totp_secret())


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


def totp_address(username: str, totp_secret: str) -> str:
    """What an authenticator app reads, as a QR code."""
    return pyotp.TOTP(totp_secret).provisioning_uri(name=username, issuer_name="Peygir")


def totp_step(secret: str, entered: str, at: datetime) -> int | None:
    """The step that an entered code belongs to, or None when it fits none near `at`. Digits of any script."""
    digits = compact_digits(entered) or ""
    totp, now_step = pyotp.TOTP(secret, interval=STEP), int(at.timestamp()) // STEP
    fitting = None
    for step in range(now_step - TOLERANCE, now_step + TOLERANCE + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
            fitting = step
    return fitting
