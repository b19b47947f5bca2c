"""Public keys of age (https://age-encryption.org/v1): what a recipient of X25519 looks like. Pure."""

from __future__ import annotations

from typing import Final

LENGTH: Final = 62
_PREFIX = "age"
_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def is_age_key(text: str) -> bool:
    """Whether this is a public key of age, `age1…`: Bech32 (BIP 173) in lower case, of 32 octets, with a checksum that fits. A
    key that was cut or mistyped is none: what is encrypted to it nobody could open."""
    head, mark, body = text.partition("1")
    if len(text) != LENGTH or head != _PREFIX or not mark or set(body) - set(_LETTERS):
        return False
    values = [*(ord(letter) >> 5 for letter in head), 0, *(ord(letter) & 31 for letter in head)]
    return _checksum([*values, *map(_LETTERS.index, body)]) == 1


def _checksum(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            check ^= generator if top >> place & 1 else 0
    return check
