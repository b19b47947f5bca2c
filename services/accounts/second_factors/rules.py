"""The rules of second factors beside TOTP."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import timedelta

ENROLMENT_VALID = timedelta(minutes=10)
"""From the secret of a new authenticator app to the code that confirms it."""
RECOVERY_CODES = 10
RECOVERY_CODE_LENGTH = 10
"""Of 32 letters and digits: 50 bits each."""
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: none that is taken for another
_MISREAD = str.maketrans({"o": "0", "i": "1", "l": "1", "u": "v"})


def fresh_recovery_codes() -> list[str]:
    """Ten different ones, as they are shown: `7k3mq-x0w2p`."""
    codes: set[str] = set()
    while len(codes) < RECOVERY_CODES:
        code = "".join(secrets.choice(_ALPHABET) for _ in range(RECOVERY_CODE_LENGTH))
        codes.add(f"{code[:5]}-{code[5:]}")
    return sorted(codes)


def recovery_code_form(typed: str) -> str | None:
    """The form that is hashed: without spaces and dashes, in any digits and letters of either size, misread letters set right.
    None for what can be no recovery code."""
    text = unicodedata.normalize("NFKC", typed).casefold()
    latin = "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in text
        if not (character.isspace() or unicodedata.category(character) in ("Pd", "Cf"))
    ).translate(_MISREAD)
    return latin if len(latin) == RECOVERY_CODE_LENGTH and set(latin) <= set(_ALPHABET) else None
