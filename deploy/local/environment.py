"""The secrets of a local run, and which process is given which of them."""

import os
import re
import secrets
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from backbone.process import keys
from deploy.local.part import write_private

SERVICES = ("intake", "media", "tracking", "notify", "accounts", "insight")

_CODES = ("CODE_MAC_KEYS", "CODE_INDEX_KEYS")
_OBJECT_STORE = ("S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_BUCKET")
RESERVE_PROVIDER = ("KAVENEGAR_RESERVE_BASE_URL", "KAVENEGAR_RESERVE_API_KEY", "SMS_RESERVE_SENDER")
SECRETS_OF: dict[str, tuple[str, ...]] = {
    "intake": (
        *_CODES,
        "CODE_DERIVE_KEY",
        "INTAKE_PRIVATE_KEYS",
        "NOTIFY_PUBLIC_KEY",
        "IDENTITY_MASTER_KEYS",
    ),
    "media": _OBJECT_STORE,
    "tracking": (),
    "notify": (
        *_CODES,
        "MOBILE_INDEX_KEY",
        "NOTIFY_PRIVATE_KEYS",
        "VAPID_PRIVATE_KEYS",
        "KAVENEGAR_BASE_URL",
        "KAVENEGAR_API_KEY",
        "SMS_SENDER",
        *RESERVE_PROVIDER,
    ),
    "accounts": (
        "MOBILE_INDEX_KEY",
        "NOTIFY_PUBLIC_KEY",
        "CONTACT_KEY",
        "ACCESS_TOKEN_PRIVATE_KEY",
        "STAFF_SECRET_KEY",
        "PUBLIC_URL",
    ),
    "insight": (),
    "gateway": (
        *_CODES,
        "CODE_DERIVE_KEY",
        "MOBILE_INDEX_KEY",
        "INTAKE_PUBLIC_KEY",
        "NOTIFY_PUBLIC_KEY",
        "CONTACT_KEY",
        "ACCESS_TOKEN_PUBLIC_KEYS",
        "RECEIPT_PRIVATE_KEY",
        "CHECKPOINT_DIR",
        "PUBLIC_URL",
        "SMS_WEBHOOK_SECRET",
    ),
    "simulator": ("SMS_SENDER",),
}
"""Process → the names of its secrets, as in docker-compose.yml: what works here works there."""

_SYSTEM = re.compile(
    r"^(PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|LD_LIBRARY_PATH|SSL_CERT_(FILE|DIR)|PYTHON[A-Z]+"
    r"|EVENTLET_[A-Z_]+|OPENBLAS_[A-Z0-9_]+|IMAGEIO_FFMPEG_EXE)$"
)
"""What any program may need from the terminal. Anything else in it may be a secret of somebody."""

# Names that no process takes from the terminal, since the launcher sets them for each.
_SET_BY_LAUNCHER = re.compile(r"^(AMQP_URL|DATABASE_URL.*|S3_.*|HEALTH_.*|GATEWAY_(HOST|PORT|STATE_DIR)|SIMULATOR_.*)$")

_COMMAND_SETTINGS = re.compile(r"^(PEYGIR_|DEMO_STAFF_)[A-Z_]+$")


def load(file: Path, overrides: Mapping[str, str]) -> dict[str, str]:
    """The secrets in `file`, completed with new ones where it has none; `overrides` win over both.

    The file has KEY=value lines, is readable by its owner alone, and is made at the first run.
    """
    stored: dict[str, str] = {}
    if file.exists():
        lines = (line.partition("=") for line in file.read_text().splitlines() if not line.startswith("#"))
        stored = {name.strip(): value.strip() for name, equals, value in lines if equals}
    complete = {
        **keys.generate(),
        "KAVENEGAR_API_KEY": secrets.token_hex(24),
        "SMS_SENDER": "10008663",
        **stored,
    }
    if complete != stored:
        heading = "# The secrets of this folder's local run. The data in it can be read with these keys alone.\n"
        write_private(file, heading + "".join(f"{name}={value}\n" for name, value in complete.items()))
    return {name: overrides.get(name) or value for name, value in complete.items()}


def process_environment(name: str, values: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of one process: its own secrets, its settings as the terminal has them, and what any program needs."""
    secret = {variable for variables in SECRETS_OF.values() for variable in variables} | set(values)
    own_settings = setting_names(name) - secret
    passed_on = {
        key: value
        for key, value in inherited.items()
        if (_SYSTEM.match(key) or _setting_of(key) in own_settings) and not _SET_BY_LAUNCHER.match(key)
    }
    own = {variable: values[variable] for variable in SECRETS_OF[name] if variable in values}
    return {**passed_on, **own, **_PYTHON}


def command_environment(values: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command of Peygir that is run once, such as a migration: it may need any value of this run."""
    settings = {setting for name in SECRETS_OF for setting in setting_names(name)}
    passed_on = {
        key: value
        for key, value in inherited.items()
        if _SYSTEM.match(key) or _COMMAND_SETTINGS.match(key) or _setting_of(key) in settings
    }
    return {**passed_on, **values, **_PYTHON}


def _setting_of(variable: str) -> str:
    """The setting that a variable is of: SMS_WEBHOOK_SECRETS of SMS_WEBHOOK_SECRETS__OTHER."""
    return variable.partition("__")[0]


@cache
def setting_names(process: str) -> frozenset[str]:
    """The names of the environment that a process reads as its settings."""
    if process == "simulator":
        return frozenset()  # the launcher sets all that it reads
    module = "gateway.settings" if process == "gateway" else f"services.{process}.settings"
    fields: Mapping[str, object] = import_module(module).Settings.model_fields
    of_providers = import_module("services.notify.providers").setting_names() if process == "notify" else frozenset()
    return frozenset(field.upper() for field in fields) | of_providers


ROOT = Path(__file__).resolve().parents[2]

_PYTHON = {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}
"""The code is run from this tree, whatever the terminal's working directory."""


def state_folder() -> Path:
    """Where the local run keeps everything: PEYGIR_STATE, or .peygir in the clone."""
    return Path(os.environ.get("PEYGIR_STATE") or ROOT / ".peygir").resolve()
