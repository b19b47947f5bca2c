"""What each process is given: no secret that its code does not read."""

from __future__ import annotations

import pytest

from deploy.local.environment import RESERVE_PROVIDER, ROOT, SECRETS_OF, SERVICES, process_environment

FOLDERS = {**{name: f"services/{name}" for name in SERVICES}, "gateway": "gateway"}
ALL = {name for names in SECRETS_OF.values() for name in names}


def reads(process: str, name: str) -> bool:
    """Whether the process's code, beyond naming it among its settings, does something with it."""
    files = [file for file in (ROOT / FOLDERS[process]).rglob("*.py") if file.name != "settings.py"]
    # `self`: of settings that make what they configure, such as those of SMS providers.
    setting = name.partition("__")[0].lower()  # SMS_WEBHOOK_SECRETS__OTHER is one of sms_webhook_secrets
    uses = (f"settings.{setting}", f"self.{setting}")
    return any(use in file.read_text() for file in files for use in uses)


@pytest.mark.parametrize("process", sorted(FOLDERS))
def test_a_process_has_only_the_secrets_that_its_code_uses(process: str) -> None:
    assert set(SECRETS_OF[process]) == {name for name in ALL if reads(process, name)}


@pytest.mark.parametrize("process", sorted(FOLDERS))
def test_only_notify_gets_a_reserve_provider_account_from_the_terminal(process: str) -> None:
    terminal = dict.fromkeys(RESERVE_PROVIDER, "given")
    held = set(process_environment(process, terminal, terminal)) & set(RESERVE_PROVIDER)
    assert held == (set(RESERVE_PROVIDER) if process == "notify" else set())


@pytest.mark.parametrize("process", sorted(FOLDERS))
def test_the_webhook_secret_of_a_further_provider_is_the_gateways_alone(process: str) -> None:
    held = process_environment(process, {}, {"SMS_WEBHOOK_SECRETS__OTHER": "given"})
    assert ("SMS_WEBHOOK_SECRETS__OTHER" in held) is (process == "gateway")


@pytest.mark.parametrize("process", [*sorted(FOLDERS), "simulator"])
def test_a_process_gets_only_its_settings_and_common_variables_from_the_terminal(process: str) -> None:
    terminal = {
        "PATH": "/bin",
        "LC_ALL": "C.UTF-8",
        "AWS_SECRET_ACCESS_KEY": "x",
        "GITHUB_TOKEN": "x",
        "LOG_LEVEL": "debug",
    }
    held = process_environment(process, {}, terminal)
    assert {"PATH", "LC_ALL"} <= set(held)
    assert not {"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"} & set(held)
    assert ("LOG_LEVEL" in held) is (process != "simulator")
