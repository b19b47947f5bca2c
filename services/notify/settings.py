"""What notify reads from its environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from backbone.process.settings import HexKey, HexKeys, ServiceSettings
from services.notify.delivery.rules import QuietHours
from texts.office import OfficeFile


def _quiet_hours(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.strip().lower() == "off":
        return QuietHours(0, 0)
    start, dash, end = value.partition("-")
    if not dash or not (start.strip().isdigit() and end.strip().isdigit() and int(start) < 24 and int(end) < 24):
        raise ValueError("wants two hours of the day such as 22-7, or off")
    return QuietHours(int(start), int(end))


def _names(value: object) -> object:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


class Settings(ServiceSettings):
    """`office_file`: the office's name (texts/office.py); empty: deploy/office.toml.
    `sms_providers`: those through which messages are sent, in the order in which they are tried; each has settings of its own
    (providers/). `notify_quiet_hours`: Tehran; `notify_hold`: seconds the first SMS waits for the case's expected date;
    `notify_lease`: seconds after which another process may take over a message; `notify_provider_rest`: seconds for which a
    provider that can send nothing is not called.
    """

    office_file: OfficeFile | None = None
    code_mac_keys: HexKeys
    code_index_keys: HexKeys
    mobile_index_key: HexKey
    notify_private_keys: HexKeys
    sms_providers: Annotated[list[str], NoDecode, BeforeValidator(_names)] = ["kavenegar"]
    notify_quiet_hours: Annotated[QuietHours, NoDecode, BeforeValidator(_quiet_hours)] = QuietHours(22, 7)
    notify_hold: float = Field(default=60.0, ge=0)
    notify_lease: float = Field(default=90.0, gt=0)
    notify_provider_rest: float = Field(default=120.0, ge=0)
