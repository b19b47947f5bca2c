"""Settings from the environment: typed, read once at start, all problems named at once.

A secret has no default. `load` ends the process with one readable list when anything is missing or wrong.
"""

from __future__ import annotations

import binascii
import sys
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, SecretBytes, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _hex_key(value: Any) -> Any:
    if isinstance(value, str):
        try:
            key = binascii.unhexlify(value.strip())
        except (binascii.Error, ValueError):
            raise ValueError("is not hexadecimal") from None
        if len(key) != 32:
            raise ValueError(f"is {len(key)} bytes long; 32 are needed")
        return key
    return value


def _hex_keys(value: Any) -> Any:
    if isinstance(value, str):
        keys = [_hex_key(part) for part in value.split(",") if part.strip()]
        if not keys:
            raise ValueError("names no key; at least one key is needed")
        return keys
    return value


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


HexKey = Annotated[SecretBytes, BeforeValidator(_hex_key)]
"""32 bytes, given in hexadecimal."""

HexKeys = Annotated[list[SecretBytes], NoDecode, BeforeValidator(_hex_keys)]
"""Comma-separated 32-byte keys in hexadecimal, the current one first."""

LogLevel = Annotated[Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(_lower)]
"""In any letters."""


class Settings(BaseSettings):
    """What every process needs. `peygir_version`: the release that runs, as operations are told."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    amqp_url: SecretStr
    log_level: LogLevel = "info"
    peygir_version: str = "local"
    health_host: str = "127.0.0.1"
    health_port: int = 0
    shutdown_seconds: float = 10.0


class ServiceSettings(Settings):
    """What every nameko service needs. `max_workers`: handlers at work at once, and connections to the database;
    `niceness`: how far it gives way to others on the same machine, the gateway above all (0 not at all, 19 wholly).
    """

    database_url: SecretStr
    max_workers: int = 10
    rpc_prefetch: int = 20
    niceness: int = Field(10, ge=0, le=19)


AnySettings = TypeVar("AnySettings", bound=Settings)


def load(cls: type[AnySettings]) -> AnySettings:
    """The settings, or the end of the process with every problem in one message (exit code 2)."""
    try:
        return cls()
    except ValidationError as error:
        lines = [
            f"  {'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors()
        ]
        sys.stderr.write("The environment is not complete:\n" + "\n".join(lines) + "\n")
        raise SystemExit(2) from None


def secret(value: SecretBytes) -> bytes:
    """The bytes of a key, at the place of its use."""
    return value.get_secret_value()


def secrets(values: list[SecretBytes]) -> list[bytes]:
    """The bytes of a list of keys, the current one first; an empty list is a programming error."""
    if not values:
        raise ValueError("at least one key is needed")
    return [value.get_secret_value() for value in values]


__all__ = ["HexKey", "HexKeys", "ServiceSettings", "Settings", "load", "secret", "secrets"]
