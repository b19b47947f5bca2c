"""Encryption: X25519 sealed boxes (libsodium) for one recipient, secret boxes under a symmetric key, keyed hashes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.secret import SecretBox
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


class CannotOpen(ValueError):
    """It was sealed to another key, is damaged, or holds something else. The text of the error quotes nothing."""


def seal(model: BaseModel, public_key: bytes) -> str:
    """`model` as JSON, sealed so that only the owner of the private key can open it; base64."""
    return base64.b64encode(_box(public_key).encrypt(model.model_dump_json().encode())).decode()


def unseal(sealed: str, model: type[Model], private_keys: Sequence[bytes]) -> Model:
    """The model that was sealed to any of these keys; CannotOpen otherwise."""
    opened = unseal_bytes(sealed, private_keys)
    try:
        return model.model_validate_json(opened)
    except ValidationError:
        raise CannotOpen(f"it does not hold a {model.__name__}") from None  # pydantic would quote what it holds


def unseal_bytes(sealed: str, private_keys: Sequence[bytes]) -> bytes:
    """The bytes that were sealed to any of these keys; CannotOpen otherwise."""
    try:
        raw = base64.b64decode(sealed, validate=True)
    except ValueError as error:
        raise CannotOpen("not base64") from error
    for key in private_keys:
        try:
            return bytes(SealedBox(PrivateKey(key)).decrypt(raw))
        except CryptoError:
            continue
    raise CannotOpen("sealed to a key that is not held")


def public_key(private_key: bytes) -> bytes:
    """The X25519 public key of a private one."""
    return bytes(PrivateKey(private_key).public_key)


def encrypt(text: str, key: bytes) -> str:
    """`text` encrypted and authenticated under a symmetric key; base64."""
    return base64.b64encode(SecretBox(key).encrypt(text.encode())).decode()


def decrypt(encrypted: str, key: bytes) -> str:
    """The text that `encrypt` was given; CannotOpen when the key is another one."""
    try:
        return SecretBox(key).decrypt(base64.b64decode(encrypted, validate=True)).decode()
    except (CryptoError, ValueError) as error:
        raise CannotOpen("another key, or damaged") from error


def keyed_hash(text: str, key: bytes) -> str:
    """HMAC-SHA256 in hex: equal texts have equal hashes, and without the key a hash reveals nothing."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=8)
def _box(key: bytes) -> SealedBox[PublicKey]:
    return SealedBox(PublicKey(key))
