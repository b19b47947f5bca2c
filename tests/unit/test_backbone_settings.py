"""Settings: what is missing or wrong is named all at once, in one message that shows no secret."""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest
from pydantic import ValidationError

from backbone.messaging.topology import SERVICES
from backbone.process.settings import HexKey, HexKeys, ServiceSettings, Settings, load, secret, secrets

KEY, OTHER = "ab" * 32, "cd" * 32


class Probe(ServiceSettings):
    one_key: HexKey
    some_keys: HexKeys
    count: int = 3


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Any:
    def setting(**values: str) -> None:
        complete = {
            "AMQP_URL": "amqp://guest:hidden-word@broker",
            "DATABASE_URL": "postgresql://",
            "ONE_KEY": KEY,
            "SOME_KEYS": f"{KEY},{OTHER}",
        }
        for name, value in {**complete, **values}.items():
            monkeypatch.setenv(name, value)

    return setting


def refused(capsys: pytest.CaptureFixture[str], cls: type[Settings] = Probe) -> str:
    """What the operator reads when the process ends."""
    with pytest.raises(SystemExit) as end:
        load(cls)
    assert end.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_a_complete_environment_is_read(setting: Any) -> None:
    setting(COUNT="7", LOG_LEVEL="Warning")
    read = load(Probe)
    assert read.count == 7
    assert read.log_level == "warning"
    assert secret(read.one_key) == bytes.fromhex(KEY)
    assert secrets(read.some_keys) == [bytes.fromhex(KEY), bytes.fromhex(OTHER)], "the current one first"


def test_everything_that_is_missing_is_named_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(capsys)
    for name in ("AMQP_URL", "DATABASE_URL", "ONE_KEY", "SOME_KEYS"):
        assert f"  {name}: " in message
    assert "COUNT" not in message, "what has a default may be left out"


def test_an_empty_value_counts_as_missing(setting: Any, capsys: pytest.CaptureFixture[str]) -> None:
    setting(ONE_KEY="", COUNT="")
    message = refused(capsys)
    assert "ONE_KEY: Field required" in message
    assert "COUNT" not in message


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("ONE_KEY", "not-a-key-but-a-secret", "not hexadecimal"),
        ("ONE_KEY", "5ec4e7" * 5, "15 bytes long; 32 are needed"),
        ("ONE_KEY", "کلید" * 16, "not hexadecimal"),
        ("SOME_KEYS", f"{KEY},5ec4e75ec4", "5 bytes long; 32 are needed"),
        ("SOME_KEYS", f"{KEY};{OTHER}", "not hexadecimal"),
        ("SOME_KEYS", " , ", "at least one key"),
        ("COUNT", "5ec4e7", "valid integer"),
        ("HEALTH_PORT", "http", "valid integer"),
        ("LOG_LEVEL", "loud", "debug"),
    ],
)
def test_a_wrong_value_is_named_and_not_quoted(
    setting: Any, capsys: pytest.CaptureFixture[str], name: str, value: str, why: str
) -> None:
    setting(**{name: value})
    message = refused(capsys)
    assert f"{name}: " in message
    assert why in message
    for hidden in (value, KEY, OTHER, "5ec4e7", "hidden-word"):
        assert hidden not in message or hidden == "loud"


def test_missing_and_wrong_are_named_together(
    setting: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    setting(ONE_KEY="5ec4e7", COUNT="many")
    monkeypatch.delenv("AMQP_URL")
    message = refused(capsys)
    assert all(f"  {name}: " in message for name in ("AMQP_URL", "ONE_KEY", "COUNT"))
    assert "5ec4e7" not in message


def test_settings_show_no_secret_when_they_are_printed(setting: Any) -> None:
    setting()
    read = load(Probe)
    shown = f"{read!r} {read} {read.model_dump()} {read.model_dump_json()}"
    for hidden in (KEY, OTHER, "hidden-word", str(bytes.fromhex(KEY))):
        assert hidden not in shown


def test_they_are_read_once_and_never_changed(setting: Any) -> None:
    setting()
    read = load(Probe)
    with pytest.raises(ValidationError):
        read.count = 8  # type: ignore[misc]  # mypy forbids it too


MAY_BE_EMPTY = {"vapid_private_keys", "public_url", "oidc_redirect_url", "oidc_client_secret"}
"""Without them nobody is sent pushes, and accounts offers neither passkeys nor OpenID Connect."""


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_starts_without_its_secrets(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    cls: type[Settings] = importlib.import_module(f"services.{service}.settings").Settings
    message = refused(capsys, cls)
    for name, field in cls.model_fields.items():
        assert (f"  {name.upper()}: Field required" in message) == field.is_required()
    for name in set(cls.model_fields) - MAY_BE_EMPTY:
        if name.endswith(("_key", "_keys", "_secret", "_url")) and "reserve" not in name:
            assert f"  {name.upper()}: " in message, "a secret has no default"
