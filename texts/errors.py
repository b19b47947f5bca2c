"""What a caller reads of an error: `contracts.errors` has codes and statuses, `errors.toml` the words."""

from __future__ import annotations

from typing import Any

from contracts.errors import PeygirError, TooMany
from texts.loading import area

TEXTS = area("errors")
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_UNITS = ((3_600, "hour"), (60, "minute"), (1, "second"))


def error_text(error: PeygirError, language: str) -> str:
    """The sentence for the caller, in `language` (fa or en; anything else gets fa). An error without a text of its own has
    that of the error above it in the tree; a value that is not known is shown as "…". `TooMany` names the time to wait
    where that is known."""
    seconds = error.params.get("retry_after")
    if isinstance(error, TooMany) and isinstance(seconds, int | float):
        return TEXTS.text(language, f"{TooMany.code}_timed", wait=duration_text(seconds, language))
    codes = [cls.code for cls in type(error).__mro__ if issubclass(cls, PeygirError)]
    key = next(code for code in codes if code in TEXTS)
    return TEXTS[key].in_language(language).format_map(_Blank(error.params))


def error_title(error: PeygirError, language: str) -> str:
    """The same for every error of this kind: without its values."""
    return error_text(type(error)() if error.params else error, language)


def duration_text(seconds: float, language: str) -> str:
    """A length of time in words, rounded up to what one waits by: «۲ دقیقه», "45 seconds"."""
    whole = max(1, -int(-seconds // 1))
    size, unit = next(unit for unit in _UNITS if whole >= 2 * unit[0] or unit[0] == 1)
    count = -(-whole // size)
    digits = str(count) if language == "en" else str(count).translate(_PERSIAN_DIGITS)
    return TEXTS.text(language, f"duration.{unit}{'' if count == 1 else 's'}", count=digits)


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"
