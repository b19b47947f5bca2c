"""What notify reads from its environment."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from backbone.process.settings import HexKey, HexKeys, ServiceSettings
from services.notify.delivery.rules import QuietHours
from services.notify.notifications.registry import shipped_registry
from services.notify.notifications.validation import office_name_problems
from services.notify.push.rules import PUSH_SERVICES
from services.notify.wording.templates import shipped_templates
from texts import office
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


def _networks(value: object) -> object:
    return [ip_network(name) for name in value] if isinstance(value := _names(value), list) else value


def _fits_every_sms(file: Path) -> Path:
    if problems := list(office_name_problems(shipped_registry(), shipped_templates(), office.read(file).sms_name)):
        raise ValueError("; ".join(problems))
    return file


class Settings(ServiceSettings):
    """`office_file`: the office's name (texts/office.py), with which no SMS takes more than two parts; empty: deploy/office.toml.
    `sms_providers`: those through which messages are sent, in the order in which they are tried; each has settings of its own
    (providers/). `notify_quiet_hours`: Tehran; `notify_hold`: seconds the first SMS waits for the case's expected date;
    `notify_lease`: seconds after which another process may take over a message; `notify_provider_rest`: seconds for which a
    provider that can send nothing is not called. `notify_webhook_networks`: networks that webhooks may be sent to though they are
    not public, such as 10.20.0.0/16, separated by commas; `notify_webhook_ports`: ports that they may be sent to elsewhere;
    `notify_webhook_timeout`: seconds for each step of an attempt; `notify_webhook_failures`: failed attempts in a row
    after which a subscription is paused; `notify_webhook_failing_hours`: hours that these span at least.
    `vapid_private_keys`: by which push services know this installation (RFC 8292), the current one first; left out: no pushes
    are sent. `notify_push_contact`: whom push services write to, as mailto:… or https://…; Apple's takes no push without.
    `notify_push_hosts`: the push services, and all hosts below them, separated by commas; `*`: any public host.
    `notify_push_networks`: networks that pushes may be sent to though they are not public; `notify_push_timeout`: as of webhooks.
    `mayor_unit`, `inspection_unit`: as in tracking.
    """

    office_file: Annotated[OfficeFile, AfterValidator(_fits_every_sms)] | None = None
    code_mac_keys: HexKeys
    code_index_keys: HexKeys
    mobile_index_key: HexKey
    notify_private_keys: HexKeys
    sms_providers: Annotated[list[str], NoDecode, BeforeValidator(_names)] = ["kavenegar"]
    notify_quiet_hours: Annotated[QuietHours, NoDecode, BeforeValidator(_quiet_hours)] = QuietHours(22, 7)
    notify_hold: float = Field(default=60.0, ge=0)
    notify_lease: float = Field(default=90.0, gt=0)
    notify_provider_rest: float = Field(default=120.0, ge=0)
    notify_webhook_networks: Annotated[list[IPv4Network | IPv6Network], NoDecode, BeforeValidator(_networks)] = []
    notify_webhook_ports: Annotated[list[int], NoDecode, BeforeValidator(_names)] = [443, 8443]
    notify_webhook_timeout: float = Field(default=10.0, gt=0, le=60)
    notify_webhook_failures: int = Field(default=20, ge=1)
    notify_webhook_failing_hours: float = Field(default=24.0, ge=0)
    vapid_private_keys: HexKeys | None = None
    notify_push_contact: str = Field(default="", pattern=r"^(?:(?:mailto:|https://)[\x21-\x7e]+)?$")
    notify_push_hosts: Annotated[list[str], NoDecode, BeforeValidator(_names)] = list(PUSH_SERVICES)
    notify_push_networks: Annotated[list[IPv4Network | IPv6Network], NoDecode, BeforeValidator(_networks)] = []
    notify_push_timeout: float = Field(default=10.0, gt=0, le=60)
    mayor_unit: str = "mayor"
    inspection_unit: str = "mayor.insp"
