"""The secrets of a local run, and which process is given which of them."""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from backbone import keys
from deploy.local.part import write_private

SERVICES = ("intake", "media", "tracking", "notify", "accounts", "insight")

_CODES = ("CODE_MAC_KEYS", "CODE_INDEX_KEYS")
_OBJECTS = ("S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_BUCKET")
RESERVE = ("KAVENEGAR_RESERVE_BASE_URL", "KAVENEGAR_RESERVE_API_KEY", "SMS_RESERVE_SENDER")
GIVEN: dict[str, tuple[str, ...]] = {
    "intake": (
        *_CODES,
        "CODE_DERIVE_KEY",
        "INTAKE_PRIVATE_KEYS",
        "NOTIFY_PUBLIC_KEY",
        "IDENTITY_MASTER_KEYS",
    ),
    "media": _OBJECTS,
    "tracking": (),
    "notify": (
        *_CODES,
        "MOBILE_INDEX_KEY",
        "NOTIFY_PRIVATE_KEYS",
        "KAVENEGAR_BASE_URL",
        "KAVENEGAR_API_KEY",
        "SMS_SENDER",
        *RESERVE,
    ),
    "accounts": (
        "MOBILE_INDEX_KEY",
        "NOTIFY_PUBLIC_KEY",
        "CONTACT_KEY",
        "ACCESS_TOKEN_PRIVATE_KEY",
        "STAFF_SECRET_KEY",
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
        "SMS_WEBHOOK_SECRET",
    ),
    "simulator": ("SMS_SENDER",),
}
"""Process → the names it gets, as in docker-compose.yml: what works here works there."""

# Names that a process must not inherit from the terminal, since the launcher decides them for each.
_DECIDED = re.compile(r"^(AMQP_URL|DATABASE_URL.*|S3_.*|HEALTH_.*|GATEWAY_(HOST|PORT|STATE_DIR)|SIMULATOR_.*)$")


def load(file: Path, given: Mapping[str, str]) -> dict[str, str]:
    """The secrets in `file`, completed with fresh ones where it has none; `given` wins over both.

    The file holds KEY=value lines for its owner's eyes only, and is made at the first run.
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
    return {name: given.get(name) or value for name, value in complete.items()}


def of_process(name: str, everything: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of one process: what the terminal has, without secrets that are not its own."""
    known = {variable for variables in GIVEN.values() for variable in variables} | set(everything)
    kept = {key: value for key, value in inherited.items() if key not in known and not _DECIDED.match(key)}
    own = {variable: everything[variable] for variable in GIVEN[name] if variable in everything}
    # The code is run from the tree, wherever the terminal stands.
    return {**kept, **own, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)}


ROOT = Path(__file__).resolve().parents[2]


def state_folder() -> Path:
    """Where the local run keeps everything: PEYGIR_STATE, or .peygir in the clone."""
    return Path(os.environ.get("PEYGIR_STATE") or ROOT / ".peygir").resolve()
