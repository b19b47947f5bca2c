"""The rules of a password that its owner chooses (NIST SP 800-63B-4, 3.1.1.2; OWASP Authentication Cheat Sheet): long enough,
not known to be breached, not the user name; nothing about which characters it is made of, and it never expires."""

from __future__ import annotations

from services.accounts.staff.rules import password_form, username_form

SHORTEST = 8
"""The least that may be asked for: passwords are always used together with a second factor."""


def wrong_with_new_password(
    username: str, current: str, new: str, shortest: int, *, field: str = "new_password"
) -> dict[str, object] | None:
    """What is wrong with a password that somebody chooses, as one of the `fields` of an error; None when nothing is. Length is
    counted in characters of its normalised form, so that no keyboard makes it shorter."""
    form = password_form(new).decode()
    if len(form) < shortest:
        return {"field": field, "reason": "string_too_short", "min_length": shortest}
    if username_form(new) == username_form(username):
        return {"field": field, "reason": "password_is_username"}
    if password_form(new) == password_form(current):
        return {"field": field, "reason": "password_unchanged"}
    return None
