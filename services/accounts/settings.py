"""What accounts reads from its environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from backbone.process.settings import HexKey, ServiceSettings
from services.accounts.passwords.breached import wrong_with_list
from services.accounts.passwords.rules import SHORTEST
from services.accounts.sessions.rules import ACCESS_SECONDS_MOST


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


CommaSeparated = Annotated[list[str], NoDecode, BeforeValidator(_split)]


class Settings(ServiceSettings):
    """Lengths of time in seconds, where no other unit is named.

    `otp_*`: one-time codes. `refresh_grace_seconds`: how long a refresh token that was just used may come again and
    mean the same refresh (its answer was lost); later it means theft. `citizen_session_seconds`, `staff_session_seconds`: how
    long who signed in stays so. `code_session_seconds`: how long a browser may read a case that it opened with its tracking
    code. `device_days`: how long a
    device that signed in is known. `password_checks_at_once`: argon2 runs in this
    process at a time, each 64 MiB and one core; `password_checks_waiting` more may wait for them.
    `staff_change_days`: how long a change that takes two administrators waits for the second one.

    `password_min_length`: characters of a password that staff choose. `breached_passwords_file`: a list of breached passwords, of
    which none is accepted: lines of SHA-1 in hexadecimal, with `:` and a count or without, in ascending order, as the
    downloader of Have I Been Pwned writes them; empty: none is looked up.

    `public_url`: as the gateway's. `passkey_origin`: of the pages on which staff sign in, https://HOST; empty: PUBLIC_URL.
    Passkeys belong to its host for good; without a host name there are none.

    `oidc_issuer`: of the provider of OpenID Connect by which staff may sign in, https://…; empty: off. `oidc_client_id`,
    `oidc_client_secret`: as we are registered there; without a secret as a public client. `oidc_username_claim`: the claim that
    holds the user name. `oidc_redirect_url`: where the provider sends the browser back to; empty: `/sign-in/oidc` below
    PUBLIC_URL. `oidc_scopes`: what is asked for. `oidc_name_fa`, `oidc_name_en`: what people call it. `oidc_second_factor_acr`,
    `oidc_second_factor_amr`: the values of the claims `acr` and `amr` that mean that the provider has asked for a second factor;
    whoever comes with none of them is asked for ours.
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
    code_session_seconds: int = Field(default=12 * 3600, ge=1)
    refresh_grace_seconds: int = Field(default=10, ge=0)

    staff_change_days: int = Field(default=7, ge=1, le=90)

    password_checks_at_once: int = Field(default=2, ge=1)
    password_checks_waiting: int = Field(default=4, ge=0)

    password_min_length: int = Field(default=12, ge=SHORTEST, le=100)
    breached_passwords_file: Path | None = None

    public_url: str = ""
    passkey_origin: str = ""

    oidc_issuer: str = ""
    oidc_client_id: str = Field(default="", validate_default=True)
    oidc_client_secret: SecretStr | None = None
    oidc_username_claim: str = Field(default="preferred_username", min_length=1)
    oidc_redirect_url: str = Field(default="", validate_default=True)
    oidc_scopes: str = "openid profile"
    oidc_name_fa: str = "حساب سازمانی"
    oidc_name_en: str = "the organisation's account"
    oidc_second_factor_acr: CommaSeparated = []
    oidc_second_factor_amr: CommaSeparated = []

    @field_validator("breached_passwords_file")
    @classmethod
    def _is_list(cls, file: Path | None) -> Path | None:
        problem = wrong_with_list(file) if file is not None else None
        if problem is not None:
            raise ValueError(problem)
        return file

    @field_validator("oidc_issuer")
    @classmethod
    def _is_address(cls, issuer: str) -> str:
        parts = urlsplit(issuer)
        is_local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
        if issuer and not (parts.hostname and (parts.scheme == "https" or is_local)):
            raise ValueError("is the provider's address, https://…")
        return issuer

    @field_validator("oidc_client_id", "oidc_redirect_url")
    @classmethod
    def _is_there_for_provider(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("oidc_issuer") and not value:
            if info.field_name == "oidc_client_id":
                raise ValueError("is needed with OIDC_ISSUER")
            if not info.data.get("public_url"):
                raise ValueError("or PUBLIC_URL is needed with OIDC_ISSUER")
        return value

    @field_validator("oidc_scopes")
    @classmethod
    def _asks_for_identity(cls, scopes: str) -> str:
        if "openid" not in scopes.split():
            raise ValueError("has to name openid")
        return scopes


def staff_key() -> bytes:
    """STAFF_SECRET_KEY for the commands, which need nothing else of the above; ends with one sentence without it."""
    try:
        key = bytes.fromhex(os.environ.get("STAFF_SECRET_KEY", ""))
    except ValueError:
        key = b""
    if len(key) != 32:
        sys.exit("STAFF_SECRET_KEY is not set to 32 bytes in hexadecimal")
    return key
