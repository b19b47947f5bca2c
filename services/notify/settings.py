"""What notify reads from its environment."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from backbone.process.settings import HexKey, HexKeys, ServiceSettings
from services.notify.domain import QuietHours
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


class Settings(ServiceSettings):
    """`notify_quiet_hours`: Tehran; `notify_hold`: seconds the first SMS waits for the case's expected date.

    `office_file`: the office's name (texts/office.py); left out: deploy/office.toml. A second account or line at the
    provider (`kavenegar_reserve_…`) takes over while the first one cannot send.
    """

    office_file: OfficeFile | None = None
    code_mac_keys: HexKeys
    code_index_keys: HexKeys
    mobile_index_key: HexKey
    notify_private_keys: HexKeys
    kavenegar_base_url: str
    kavenegar_api_key: SecretStr
    sms_sender: str
    kavenegar_reserve_base_url: str | None = None
    kavenegar_reserve_api_key: SecretStr | None = None
    sms_reserve_sender: str | None = None
    kavenegar_timeout: float = Field(default=10.0, gt=0, le=30)
    notify_quiet_hours: Annotated[QuietHours, NoDecode, BeforeValidator(_quiet_hours)] = QuietHours(22, 7)
    notify_hold: float = Field(default=60.0, ge=0)
    notify_lease: float = Field(default=90.0, gt=0)
    notify_provider_rest: float = Field(default=120.0, ge=0)

    @model_validator(mode="after")
    def _whole_reserve(self) -> Self:
        reserve = (self.kavenegar_reserve_base_url, self.kavenegar_reserve_api_key)
        if any(reserve) and not all(reserve):
            raise ValueError("KAVENEGAR_RESERVE_BASE_URL and KAVENEGAR_RESERVE_API_KEY belong together")
        return self
