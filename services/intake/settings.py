"""What intake reads from its environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, SecretBytes
from pydantic_settings import NoDecode

from backbone.process.settings import HexKey, HexKeys, ServiceSettings


def _named_keys(value: object) -> object:
    if not isinstance(value, str):
        return value
    keys: dict[str, bytes] = {}
    for part in value.split(","):
        name, _, digits = part.strip().partition(":")
        if not name or len(digits) != 64:
            raise ValueError("wants id:hex pairs of 32-byte keys, the current one first")
        if name in keys:
            raise ValueError(f"names {name} twice: what is sealed under one of the two could not be opened")
        keys[name] = bytes.fromhex(digits)
    return keys


class Settings(ServiceSettings):
    """`identity_master_keys`: id → key, the current one first; old ones stay until `peygir keys rotate` has run."""

    code_mac_keys: HexKeys
    code_index_keys: HexKeys
    code_derive_key: HexKey
    intake_private_keys: HexKeys
    notify_public_key: HexKey
    identity_master_keys: Annotated[dict[str, SecretBytes], NoDecode, BeforeValidator(_named_keys)]
