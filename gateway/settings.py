"""What the gateway reads from its environment."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from backbone.process.settings import HexKey, HexKeys
from backbone.process.settings import Settings as ProcessSettings
from texts.office import OfficeFile


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    return [ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip()]


_ORIGIN = re.compile(
    r"https?://(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)


CommaSeparated = Annotated[list[str], NoDecode, BeforeValidator(_split)]
Networks = Annotated[list[IPv4Network | IPv6Network], NoDecode, BeforeValidator(_networks)]


class Settings(ProcessSettings):
    """Sizes in bytes, times in seconds.

    `gateway_state_dir`: where the copy of the catalogue is kept. `checkpoint_dir`: where each day's signed checkpoint is
    written; empty: beside the copy of the catalogue. `public_url`: scheme and host under which citizens reach the gateway;
    printed on papers, and never taken from a request. `receipt_public_keys`: of earlier RECEIPT_PRIVATE_KEYs, so that papers
    signed with those can still be verified. `sms_providers`: whose pushes are taken, by their names in the paths of the
    webhooks; paths without a name are the first one's. `sms_webhook_secret`: the secret part of the addresses of the first
    provider's webhooks; `sms_webhook_secrets`: of each further one, by provider: SMS_WEBHOOK_SECRETS__OTHER. `trusted_proxies`:
    addresses whose X-Forwarded-For is used. `cors_origins`: web apps of other origins that may call the API.

    `body_timeout`: within which JSON or a form without files has to arrive. `stall_timeout`: for which any other body may
    pause, and a client may read nothing. `min_body_rate`: bytes a second, on average, that a body with files has to arrive at.
    `max_connections_of_address`: not of a trusted proxy, which connects for many clients.

    `desk_without_mobile`: operators may file for citizens who give a name and no mobile; these get their code on paper.

    `publish_timeout`: within which the broker has to confirm a submission; short enough for a 503 within 2 s on a busy machine.
    `rpc_timeout`: a service that answers no call for so long is unavailable. `rpc_deadline`: how long a service that answers
    other calls is waited for. `status_timeout`: the rpc_timeout for reading a case by its code. `max_calls`: how many calls of
    services may wait for their answers.

    `paper_seconds`: within which a PDF has to be rendered. `max_papers`: how many may wait to be rendered. `papers_each`: how
    many of these one account or address may have. `office_file`: the office's name, numbers, hours, address and emblem
    (texts/office.py); empty: deploy/office.toml. `mayor_unit`, `inspection_unit`: the units of the inspection itself, as in
    tracking: while no substitute is named for one of them, whoever files about it is told where else to turn.

    `max_referral_bytes`: of the files in one package that is referred to a body outside. `max_referrals`: how many packages are
    made at a time; each takes so much of the disk of `gateway_state_dir` while it is sent, encrypted.

    `form_sessions_kept`: how many drafts of visitors are stored in files; with LIMITS_URL they are stored on that server.
    `form_sessions_bytes`: their size in all.

    `limits_url`: valkey://… once several gateways run; empty: the memory of this process. A `limit_submissions` or any other
    limit reads "30/minute;300/hour", or "off"; gateway/edge/admission.py says what each counts. `bad_codes_undelayed`: so many
    wrong tracking codes of one address in a minute are answered at once. `bad_code_delay`: by which each further one delays the
    requests of that address. `bad_code_delay_most`: the longest such delay. `challenge_bits`: difficulty of the first proof of
    work. `challenge_bits_most`: of the hardest one. `wait_seconds`: the first wait of a page, which cannot compute a proof.
    `wait_seconds_most`: the longest one."""

    model_config = SettingsConfigDict(env_nested_delimiter="__")

    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(8000, ge=0, le=65535)
    gateway_state_dir: Path = Path(".peygir/gateway")
    checkpoint_dir: Path | None = None
    public_url: str = Field("", validate_default=True)

    code_mac_keys: HexKeys
    code_index_keys: HexKeys
    code_derive_key: HexKey
    mobile_index_key: HexKey
    intake_public_key: HexKey
    notify_public_key: HexKey
    contact_key: HexKey
    access_token_public_keys: HexKeys
    receipt_private_key: HexKey
    receipt_public_keys: HexKeys = []
    sms_providers: Annotated[CommaSeparated, Field(min_length=1)] = ["kavenegar"]
    sms_webhook_secret: Annotated[SecretStr, Field(min_length=8)]
    sms_webhook_secrets: Annotated[dict[str, SecretStr], NoDecode, Field(validate_default=True)] = {}

    cors_origins: CommaSeparated = []
    trusted_proxies: Networks = []

    max_json_body: int = Field(262_144, ge=1024)
    max_header_bytes: int = Field(32_768, ge=1024)
    max_headers: int = Field(100, ge=10)
    max_url: int = Field(8_192, ge=256)
    header_timeout: float = Field(10.0, gt=0)
    body_timeout: float = Field(15.0, gt=0)
    stall_timeout: float = Field(60.0, gt=0)
    min_body_rate: int = Field(1_024, ge=1)
    max_connections: int = Field(4_000, ge=1)
    max_connections_of_address: int = Field(500, ge=1)
    max_uploads: int = Field(10, ge=0, le=10)
    max_upload_size: int = Field(209_715_200, ge=0)
    national_id_required: bool = False
    desk_without_mobile: bool = True
    group_most: int = Field(1_000, ge=2)

    publish_timeout: float = Field(1.5, gt=0)
    max_publishing: int = Field(2_000, ge=1)
    rpc_timeout: float = Field(5.0, gt=0)
    rpc_deadline: float = Field(15.0, gt=0)
    status_timeout: float = Field(1.5, gt=0)
    max_calls: int = Field(500, ge=1)
    retry_after: int = Field(5, ge=1)

    cache_cases: int = Field(50_000, ge=0)
    cache_bytes: int = Field(32 * 1024 * 1024, ge=0)
    cache_seconds: float = Field(300.0, gt=0)
    max_streams: int = Field(2_000, ge=1)
    stream_queue: int = Field(100, ge=1)
    stream_heartbeat: float = Field(15.0, gt=0)

    paper_seconds: float = Field(15.0, gt=0)
    max_papers: int = Field(20, ge=1)
    papers_each: int = Field(3, ge=1)
    max_referral_bytes: int = Field(1024 * 1024 * 1024, ge=1024 * 1024)
    max_referrals: int = Field(2, ge=1)
    office_file: OfficeFile | None = None
    mayor_unit: str = "mayor"
    inspection_unit: str = "mayor.insp"

    form_sessions_kept: int = Field(50_000, ge=1)
    form_sessions_bytes: int = Field(512 * 1024 * 1024, ge=1024 * 1024)

    limits_url: SecretStr | None = None
    limit_submissions: str = "30/minute;300/hour"
    limit_codes: str = "1200/minute"
    limit_one_code: str = "60/minute"
    limit_bad_codes: str = "30/minute;60/hour"
    limit_bad_codes_by_network: str = "300/minute;600/hour"
    limit_waited_codes: str = "30/hour"
    limit_one_time_codes: str = "30/minute;300/hour"
    limit_code_by_sms: str = "1/minute;3/day"
    limit_sms_of_mobile: str = "2/hour;4/day"
    limit_sign_in: str = "120/minute;1200/hour"
    limit_refresh: str = "30/minute"
    limit_bad_tokens: str = "60/minute;600/hour"
    limit_session: str = "600/minute"
    limit_anonymous: str = "3000/minute"
    limit_upload_megabytes: str = "4000/hour;20000/day"
    limit_streams: int = Field(20, ge=1)
    limit_streams_by_address: int = Field(400, ge=1)
    bad_codes_undelayed: int = Field(10, ge=0)
    bad_code_delay: float = Field(0.25, ge=0)
    bad_code_delay_most: float = Field(5.0, ge=0)
    challenge_bits: int = Field(18, ge=1, le=40)
    challenge_bits_most: int = Field(28, ge=1, le=40)
    wait_seconds: int = Field(20, ge=1)
    wait_seconds_most: int = Field(600, ge=1)

    @field_validator(
        "limit_submissions",
        "limit_codes",
        "limit_one_code",
        "limit_bad_codes",
        "limit_bad_codes_by_network",
        "limit_waited_codes",
        "limit_one_time_codes",
        "limit_code_by_sms",
        "limit_sms_of_mobile",
        "limit_sign_in",
        "limit_refresh",
        "limit_bad_tokens",
        "limit_session",
        "limit_anonymous",
        "limit_upload_megabytes",
    )
    @classmethod
    def _limits(cls, value: str) -> str:
        if value.lower() in ("off", ""):
            return "off"
        from limits import parse_many

        try:
            parse_many(value)
        except ValueError:
            raise ValueError('reads like "30/minute;300/hour", or "off"') from None
        return value

    @field_validator("sms_webhook_secrets")
    @classmethod
    def _one_secret_each(cls, value: dict[str, SecretStr], info: ValidationInfo) -> dict[str, SecretStr]:
        further = info.data.get("sms_providers", [])[1:]
        if missing := [name for name in further if not value.get(name)]:
            names = ", ".join(f"SMS_WEBHOOK_SECRETS__{name.upper()}" for name in missing)
            raise ValueError(f"{names} is needed: each of SMS_PROVIDERS has a secret of its own")
        secrets = [info.data.get("sms_webhook_secret"), *value.values()]
        if len({secret.get_secret_value() for secret in secrets if secret}) < len(secrets):
            raise ValueError("two providers have the same secret; each needs one of its own")
        return value

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        if not _ORIGIN.fullmatch(value):
            raise ValueError(
                "is needed: how citizens reach the gateway, as https://host or https://host:port without a path. "
                "It is on letters and receipts"
            )
        return value

    @field_validator("code_mac_keys", "code_index_keys", "access_token_public_keys")
    @classmethod
    def _at_least_one(cls, value: list[object]) -> list[object]:
        if not value:
            raise ValueError("at least one key is needed")
        return value
