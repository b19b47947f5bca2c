"""The registry of SMS providers (docs/how-to/add-an-sms-provider.md)."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pydantic import ValidationError

from services.notify.providers.kavenegar import KavenegarSettings
from services.notify.providers.protocol import ProviderSettings, SmsProvider

REGISTRY: dict[str, type[ProviderSettings]] = {
    "kavenegar": KavenegarSettings,
}
"""Provider → its settings, which make its accounts. A name is letters and digits: it is part of the webhook's path."""


def provider_of(account: str) -> str:
    """The provider of an account: kavenegar of kavenegar-reserve."""
    return account.partition("-")[0]


def configured_accounts(names: Sequence[str]) -> list[SmsProvider]:
    """The accounts of these providers, in the order in which they are tried; or the end of the process, with every problem of
    their settings in one message (exit code 2)."""
    accounts: list[SmsProvider] = []
    problems: list[str] = []
    for name in names:
        if name not in REGISTRY:
            problems.append(f"SMS_PROVIDERS: there is no provider {name!r}; there are {', '.join(REGISTRY)}")
            continue
        try:
            accounts += REGISTRY[name]().accounts()
        except ValidationError as error:
            problems += [
                f"{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
                for problem in error.errors()
            ]
    if problems:
        sys.stderr.write("The settings of SMS providers are not complete:\n  " + "\n  ".join(problems) + "\n")
        raise SystemExit(2)
    return accounts


def setting_names() -> frozenset[str]:
    """The names of the environment that providers read."""
    return frozenset(field.upper() for settings in REGISTRY.values() for field in settings.model_fields)
