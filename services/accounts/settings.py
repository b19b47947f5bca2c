"""What accounts reads from its environment."""

from __future__ import annotations

import os
import sys

from pydantic import Field

from backbone.process.settings import HexKey, ServiceSettings
from services.accounts.sessions.rules import ACCESS_SECONDS_MOST


class Settings(ServiceSettings):
    """Lengths of time in seconds, where no other unit is named.

    `otp_*`: one-time codes. `refresh_grace_seconds`: how long a refresh token that was just used may come again and
    mean the same refresh (its answer was lost); later it means theft. `device_days`: how long a
    device that signed in is known. `password_checks_at_once`: argon2 runs in this
    process at a time, each 64 MiB and one core; `password_checks_waiting` more may wait for them.
    `staff_change_days`: how long a change that takes two administrators waits for the second one.
    """

    mobile_index_key: HexKey
    notify_public_key: HexKey
    contact_key: HexKey
    access_token_private_key: HexKey
    staff_secret_key: HexKey

    otp_seconds: int = Field(default=300, ge=1)
    otp_tries: int = Field(default=5, ge=1)
    otp_resend_seconds: int = Field(default=60, ge=0)
    otp_per_hour: int = Field(default=5, ge=1)
    otp_per_day: int = Field(default=15, ge=1)

    device_days: int = Field(default=180, ge=1)

    access_seconds: int = Field(default=ACCESS_SECONDS_MOST, ge=1, le=ACCESS_SECONDS_MOST)
    citizen_session_seconds: int = Field(default=30 * 24 * 3600, ge=1)
    staff_session_seconds: int = Field(default=12 * 3600, ge=1)
    refresh_grace_seconds: int = Field(default=10, ge=0)

    staff_change_days: int = Field(default=7, ge=1, le=90)

    password_checks_at_once: int = Field(default=2, ge=1)
    password_checks_waiting: int = Field(default=4, ge=0)


def staff_key() -> bytes:
    """STAFF_SECRET_KEY for the commands, which need nothing else of the above; ends with one sentence without it."""
    try:
        key = bytes.fromhex(os.environ.get("STAFF_SECRET_KEY", ""))
    except ValueError:
        key = b""
    if len(key) != 32:
        sys.exit("STAFF_SECRET_KEY is not set to 32 bytes in hexadecimal")
    return key
