"""One running Peygir a session, and the people who meet it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.processes import System
from tests.e2e.people import Town, people_of


@pytest.fixture(scope="session")
def town(system: System) -> Iterator[Town]:
    with people_of(system) as town:
        yield town
