"""What compressing answers costs and saves: `python -m benchmarks.coding [FILE…]`.

Prints, for the list of a hundred cases, one case and the catalogue of this run (or the given files), each coding at several
levels: the size as a share of the original, and the time as a ratio to making the same JSON (pydantic), measured in one run.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import brotli
import zstandard
from pydantic import TypeAdapter

LEVELS = {"zstd": (1, 3, 6, 19), "br": (1, 4, 5, 11), "gzip": (1, 5, 6, 9)}
_ANY: TypeAdapter[Any] = TypeAdapter(Any)


def encoder(coding: str, level: int) -> Callable[[bytes], bytes]:
    """Encodes at this level."""
    if coding == "zstd":
        return lambda content: zstandard.ZstdCompressor(level=level).compress(content)
    if coding == "br":
        return lambda content: bytes(brotli.compress(content, quality=level))
    return lambda content: gzip.compress(content, level, mtime=0)


def seconds(work: Callable[[], object], for_seconds: float = 0.2) -> float:
    """Of one call, the best of three runs."""
    best = float("inf")
    for _ in range(3):
        calls, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < for_seconds / 3:
            work()
            calls += 1
        best = min(best, spent / calls)
    return best


def rows(content: bytes) -> Iterator[tuple[str, int, float, float]]:
    """Coding, level, size as a share, time in seconds."""
    for coding, levels in LEVELS.items():
        for level in levels:
            encode = encoder(coding, level)
            yield coding, level, len(encode(content)) / len(content), seconds(lambda encode=encode: encode(content))  # type: ignore[misc]  # mypy takes no default of a lambda


def main(files: list[str]) -> None:
    contents = {name: Path(name).read_bytes() for name in files} or samples()
    for name, content in contents.items():
        parsed = json.loads(content)
        making = seconds(lambda parsed=parsed: _ANY.dump_json(parsed))  # type: ignore[misc]  # as above
        print(f"{name}: {len(content):,} bytes, made in {making * 1e6:,.0f} µs")
        for coding, level, share, spent in rows(content):
            print(f"  {coding:5} {level:3}  {share:6.1%}  {spent * 1e6:9,.0f} µs  {spent / making:8.1f} ×")


def samples() -> dict[str, bytes]:
    """Shaped like the main reads."""
    row = {
        "unit": "dep.urb.permits",
        "ground": "delay",
        "kind": "complaint",
        "stage": "investigating",
        "channel": "web",
        "urgent": False,
        "expected_on": "2026-12-20",
    }

    def case(number: int) -> dict[str, Any]:
        own = {
            "case_id": str(UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)),
            "number": f"1405-{number:06}",
        }
        at = f"2026-11-{number % 27 + 1:02}T{number % 24:02}:{number * 7 % 60:02}:11.{number * 7919 % 10**6:06}Z"
        times = {"filed_at": at, "changed_at": at[::-1]}
        return {**own, **row, **times, "handler": str(UUID(int=number % 7 + 1)), "version": number % 9 + 1}

    complaints = (Path(__file__).parent / "city" / "complaints.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line) for line in complaints[:100]]
    return {
        "list of 100 cases": json.dumps({"items": [case(number) for number in range(1, 101)], "next": None}).encode(),
        "one case": json.dumps({**case(1), "texts": texts[:6]}, ensure_ascii=False).encode(),
        "texts": json.dumps(texts, ensure_ascii=False).encode(),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
