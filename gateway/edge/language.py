"""The language of an answer: fa, unless Accept-Language prefers en."""

from __future__ import annotations

from functools import lru_cache

from contracts.vocabulary import Language


@lru_cache(maxsize=1024)
def preferred(accept_language: str) -> Language:
    """The language of the answer to a request with this Accept-Language (RFC 9110, 12.5.4)."""
    best, best_quality = Language.FA, 0.0
    for part in accept_language.split(",")[:20]:
        tag, _, parameter = part.strip().partition(";")
        name = tag.strip().lower().split("-")[0]
        if name not in ("fa", "en"):
            continue
        quality = _quality(parameter.strip())
        if quality > best_quality:
            best, best_quality = Language(name), quality
    return best


def of(headers: list[tuple[bytes, bytes]]) -> Language:
    """The language of the answer to a request with these raw ASGI headers."""
    for name, value in headers:
        if name == b"accept-language":
            return preferred(value.decode("latin-1"))
    return Language.FA


def _quality(parameter: str) -> float:
    if not parameter.startswith("q="):
        return 1.0
    try:
        return max(0.0, min(1.0, float(parameter[2:])))
    except ValueError:
        return 0.0
