"""One running Peygir a session, and the people who meet it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from deploy.local.processes import System
from tests.e2e.people import Town


@pytest.fixture(scope="session")
def town(system: System) -> Iterator[Town]:
    with (
        httpx.Client(base_url=system.gateway_url, timeout=30, trust_env=False) as http,
        httpx.Client(base_url=system.simulator_url, timeout=60, trust_env=False) as control,
    ):
        yield Town(system, http, control)
