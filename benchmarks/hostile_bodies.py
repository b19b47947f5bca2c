"""Bodies of the largest accepted size, made to be expensive to parse (DESIGN, Limits: linear in its size)."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks import load
from benchmarks.figures import Bar, Row
from benchmarks.load import Connection
from benchmarks.measured_system import MeasuredSystem

SIZE = 262_144
BODIES: dict[str, Callable[[int], bytes]] = {
    "an endless string of escaped quotes": lambda n: b"[" * 25 + b'"' + b'\\"' * ((n - 26) // 2),
    "brackets": lambda n: b"[" * n,
    "lists": lambda n: b"[" + b"[]," * ((n - 4) // 3) + b"1]",
    "numbers": lambda n: b"[" + b"1," * ((n - 4) // 2) + b"1]",
    "names": lambda n: b"{" + b",".join(b'"%06d":1' % i for i in range(n // 11)) + b"}",
    "escapes": lambda n: b'["' + b"\\ud800" * ((n - 6) // 6) + b'"]',
    "marks on one letter": lambda n: b'{"text":"a' + ("\u0300\u0316" * ((n - 16) // 4)).encode() + b'"}',
}


def time_to_refusal(system: MeasuredSystem, runs: int) -> Row:
    """The time in which the slowest of them is refused, from its first byte to the answer."""
    slowest: list[tuple[float, str]] = []
    for _ in range(runs):
        seconds = {name: load.run(_refused(system.url, build(SIZE))) for name, build in BODIES.items()}
        name = max(seconds, key=lambda body_name: seconds[body_name])
        slowest.append((seconds[name] * 1000, name))
    remark = "the slowest of each run: " + ", ".join(dict.fromkeys(name for _, name in slowest))
    row = tuple(milliseconds for milliseconds, _ in slowest)
    return Row("hostile bodies of 256 KiB, refused within", "ms", row, Bar(50, at_most=True), remarks=(remark,))


async def _refused(url: str, body: bytes) -> float:
    head = (
        "POST /v1/submissions HTTP/1.1\r\nHost: peygir\r\nContent-Type: application/json\r\nIdempotency-Key: hostile-body-1\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    connection = Connection(url)
    try:
        began = time.perf_counter()
        answer = await connection.request(head.encode() + body)
        seconds = time.perf_counter() - began
    finally:
        connection.close()
    assert 400 <= answer.status < 500, answer.status
    return seconds
