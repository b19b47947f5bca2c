"""Content codings (RFC 9110, 8.4): which one a client is answered in, and the encoders."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache

import brotli
import zstandard

AT_ONCE: tuple[str, ...] = ("zstd", "br", "gzip")
"""Codings for what is made for one request, the quickest first."""
ONCE_FOR_ALL: tuple[str, ...] = ("br", "zstd", "gzip")
"""Codings for what is made once and sent to everybody, the smallest first."""
_LONGEST_HEADER = 200
_IDENTITY = "identity"


@lru_cache(maxsize=256)
def chosen(accept_encoding: str, codings: Sequence[str]) -> str | None:
    """The coding of `codings` that an Accept-Encoding header likes best (its q); of several the one named first here.
    None: as it is, because the client takes none of them or likes none better. A header too long for a browser is not read."""
    if not accept_encoding or len(accept_encoding) > _LONGEST_HEADER:
        return None
    qualities = dict(map(_quality, accept_encoding.split(",")))
    others = qualities.get("*", 0.0)
    best = max(codings, key=lambda coding: qualities.get(coding, others))
    quality = qualities.get(best, others)
    return best if quality > 0 and quality >= qualities.get(_IDENTITY, 0.0) else None


def _quality(item: str) -> tuple[str, float]:
    """A coding and its quality value, 0 to 1; 0 for one that cannot be read."""
    coding, _, parameter = item.partition(";")
    name, _, value = parameter.partition("=")
    quality = 1.0
    if name.strip().lower() == "q":
        try:
            quality = float(value)
        except ValueError:
            quality = 0.0
    return coding.strip().lower(), quality if 0 <= quality <= 1 else 0.0


def encode(coding: str, content: bytes, *, best: bool = False) -> bytes:
    """The content in this coding. `best`: as small as it gets, for what is made once; else at the level that takes as
    long as making the JSON does, and saves nine tenths of a list (benchmarks/coding.py)."""
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=19 if best else 1).compress(content)
    if coding == "br":
        return bytes(brotli.compress(content, quality=11 if best else 1))
    return gzip.compress(content, 9 if best else 1, mtime=0)


class StreamEncoder:
    """Content in parts, of which none is kept longer than the encoder needs."""

    def __init__(self, coding: str) -> None:
        self.update: Callable[[bytes], bytes]
        self.finish: Callable[[], bytes]
        if coding == "zstd":
            zstd = zstandard.ZstdCompressor(level=1).compressobj()
            self.update, self.finish = zstd.compress, zstd.flush
        elif coding == "br":
            br = brotli.Compressor(quality=4)  # below, each part is compressed by itself
            self.update, self.finish = br.process, br.finish
        else:
            deflate = zlib.compressobj(1, wbits=31)
            self.update, self.finish = deflate.compress, deflate.flush
