"""The clock that use cases are given, so that tests can set it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""The present, in UTC."""
