"""A fixed loop of hashing and JSON: how fast a core of this machine is at the moment. CPU times are scaled by it, since machines
differ by a factor of three and one machine by 20 % from hour to hour."""

from __future__ import annotations

import hashlib
import json
import statistics
import time

REFERENCE = 15.0
"""CPU milliseconds of the loop on the machine that CPU figures are scaled to."""
_TURNS = 1_000
_REPETITIONS = 7
_DOCUMENT = {
    "case_id": "0b9c1e52-7a54-4d1e-9a53-0d9f1c2b7a11",
    "number": "1405-0001234",
    "filed_at": "2026-11-25T16:40:00+00:00",
    "text": "آسفالت تازه دوباره کنده شده و مصالح آن چند روز است که کنار پیاده‌رو رها مانده و شب‌ها برده می‌شود.",
    "path": ["org", "dep.civ", "dep.civ.roads"],
    "steps": [{"name": "registered", "days": 1}, {"name": "screening", "days": 3}, {"name": "decided", "days": 15}],
}


def loop_milliseconds() -> float:
    """CPU milliseconds of this process for 1,000 turns of: a document of some 600 bytes to JSON, its SHA-256 chained to the
    last, and the document parsed again. The median of seven repetitions."""
    return statistics.median(_repetition() for _ in range(_REPETITIONS))


def _repetition() -> float:
    began, digest = time.process_time(), b""
    for _ in range(_TURNS):
        text = json.dumps(_DOCUMENT, ensure_ascii=False)
        digest = hashlib.sha256(digest + text.encode()).digest()
        json.loads(text)
    return (time.process_time() - began) * 1000
