"""A system that may be broken, and the people who use it meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.processes import System
from tests.e2e.people import Town, people_of
from tests.support.seeds import chosen_seed

Report = Callable[[str], None]

BUDGETS = (
    "submissions",
    "codes",
    "one_code",
    "bad_codes",
    "one_time_codes",
    "sign_in",
    "session",
    "anonymous",
    "upload_megabytes",
)
SETTINGS = {
    **{f"LIMIT_{name.upper()}": "off" for name in BUDGETS},
    "OTP_RESEND_SECONDS": "0",
    "OTP_PER_HOUR": "1000",
    "OTP_PER_DAY": "1000",
    # As in production, but shorter, so that a round is: a provider that withholds its answer, a sender that was killed.
    "KAVENEGAR_TIMEOUT": "2",
    "NOTIFY_LEASE": "15",
    "NOTIFY_HOLD": "15",
    "NOTIFY_PROVIDER_REST": "5",
    # Filled while a test warms up, so that what grows later is no cache.
    "CACHE_CASES": "500",
}


@pytest.fixture(scope="session", autouse=True)
def _quiet_libraries() -> None:
    for name in ("pika", "httpx"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Prints at once, whatever pytest captures: a seed that was not printed cannot be repeated."""

    def print_now(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}", end="", flush=True)

    return print_now


@pytest.fixture
def seed(report: Report, request: pytest.FixtureRequest) -> int:
    """Printed; PEYGIR_SEED repeats it."""
    value = chosen_seed(usual=None)
    report(f"{request.node.name}: PEYGIR_SEED={value}")
    return value


@pytest.fixture(scope="session")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """All of Peygir; a test that breaks a part of it repairs it."""
    with System(tmp_path_factory.mktemp("fragile"), environment=SETTINGS) as running:
        yield running


@pytest.fixture
def town(fragile: System) -> Iterator[Town]:
    """The people of `fragile`, after everything is ready (again)."""
    for member in fragile.members():
        if not member.alive:
            member.start()
    for process in fragile.processes():
        process.await_ready()
    with people_of(fragile) as town:
        yield town


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For a test's own servers."""
    return tmp_path
