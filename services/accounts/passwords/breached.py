"""The offline list of breached passwords: the download of Have I Been Pwned, ordered by hash, searched without being loaded.

A line is the SHA-1 of a password in hexadecimal and, after a colon, how often it was seen: `00000000DD…:10`. The whole list is
some 40 GB; a search reads about 30 short parts of it. A shorter list has the same form.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import BinaryIO

from backbone.process import logs
from contracts.errors import Unavailable
from services.accounts.staff.rules import password_form

log = logs.get("passwords")

_LINE = re.compile(rb"[0-9A-Fa-f]{40}(?::[0-9]+)?\r?\n?")
_LONGEST_LINE = 128


class BreachedPasswords:
    """`file`: None: no list is given, and none is searched. ValueError for a file that is no such list."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        if file is not None:
            problem = wrong_with_list(file)
            if problem is not None:
                raise ValueError(problem)

    def contains(self, password: str) -> bool:
        """Whether the list has it, as it was typed or in its normalised form. Unavailable when the list cannot be read: a
        password that was not looked up is not accepted."""
        if self._file is None:
            return False
        forms = {password.encode(errors="surrogatepass"), password_form(password)}
        try:
            with self._file.open("rb") as lines:
                return any(
                    _search(lines, hashlib.sha1(form, usedforsecurity=False).hexdigest().upper().encode())
                    for form in forms
                )
        except OSError as error:
            log.error("the list of breached passwords cannot be read", error=type(error).__name__)
            raise Unavailable(retry_after=60) from None


def wrong_with_list(file: Path) -> str | None:
    """Why this is no list of breached passwords, in a few words; None when it looks like one: first and last line are hashes,
    in ascending order."""
    try:
        with file.open("rb") as lines:
            first = lines.readline(_LONGEST_LINE)
            size = lines.seek(0, os.SEEK_END)
            lines.seek(max(0, size - 2 * _LONGEST_LINE))
            last = lines.read().rstrip(b"\r\n").rpartition(b"\n")[2]
    except OSError as error:
        return f"cannot be read ({type(error).__name__})"
    if not (_LINE.fullmatch(first) and _LINE.fullmatch(last)):
        return "has lines that are no SHA-1 in hexadecimal"
    return "is not in ascending order" if last[:40].upper() < first[:40].upper() else None


def _search(lines: BinaryIO, wanted: bytes) -> bool:
    """Binary search by offsets: `low` is where a line begins, and whatever begins at `high` or later is greater."""
    low, high = 0, lines.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        lines.seek(middle)
        if middle > low:
            lines.seek(middle - 1)
            lines.readline(_LONGEST_LINE)  # to the beginning of a line at or after `middle`
        begin = lines.tell()
        line = lines.readline(_LONGEST_LINE) if begin < high else b""
        if not line:
            high = middle
        elif (found := line[:40].upper()) == wanted:
            return True
        elif found < wanted:
            low = begin + len(line)
        else:
            high = middle
    return False
