"""Which database a migration goes to: told by the environment, and never another service's."""

from __future__ import annotations

import os

import pytest

from backbone.messaging.topology import SERVICES
from backbone.storage import migrate

Upgraded = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DATABASE_URL")]:
        monkeypatch.delenv(name)


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> Upgraded:
    """What would have been brought to date."""
    calls: Upgraded = []
    monkeypatch.setattr(migrate, "upgrade", lambda service, url: calls.append((service, url)))
    return calls


def test_a_services_own_url_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://any")
    monkeypatch.setenv("DATABASE_URL_INTAKE", "postgresql://intake")
    assert migrate.url_of("intake") == "postgresql://intake"
    assert migrate.url_of("tracking") == "postgresql://any"


def test_an_empty_url_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL_INTAKE", "")
    monkeypatch.setenv("DATABASE_URL", "postgresql://any")
    assert migrate.url_of("intake") == "postgresql://any"


def test_without_any_url_it_exits_with_one_sentence() -> None:
    with pytest.raises(SystemExit) as end:
        migrate.url_of("intake")
    assert end.value.code == "neither DATABASE_URL_INTAKE nor DATABASE_URL is set"


def test_one_service_is_migrated(monkeypatch: pytest.MonkeyPatch, upgraded: Upgraded) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://intake")
    migrate.main(["intake"])
    assert upgraded == [("intake", "postgresql://intake")]


def test_without_a_name_all_services_are_migrated(monkeypatch: pytest.MonkeyPatch, upgraded: Upgraded) -> None:
    for service in SERVICES:
        monkeypatch.setenv(f"DATABASE_URL_{service.upper()}", f"postgresql://{service}")
    migrate.main([])
    assert upgraded == [(service, f"postgresql://{service}") for service in SERVICES]


def test_two_services_never_share_a_database(monkeypatch: pytest.MonkeyPatch, upgraded: Upgraded) -> None:
    """alembic would find the first one's version there and call the second up to date without a table of its own."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://any")
    for names in ([], ["intake", "tracking"]):
        with pytest.raises(SystemExit) as end:
            migrate.main(names)
        assert "DATABASE_URL_INTAKE" in str(end.value.code)
    assert upgraded == []


def test_a_missing_url_stops_before_the_first_change(monkeypatch: pytest.MonkeyPatch, upgraded: Upgraded) -> None:
    monkeypatch.setenv("DATABASE_URL_INTAKE", "postgresql://intake")
    with pytest.raises(SystemExit) as end:
        migrate.main(["intake", "tracking"])
    assert end.value.code == "neither DATABASE_URL_TRACKING nor DATABASE_URL is set"
    assert upgraded == []


def test_an_unknown_service_is_named(upgraded: Upgraded) -> None:
    with pytest.raises(SystemExit) as end:
        migrate.main(["intake", "intakes"])
    assert str(end.value.code).startswith("there is no service intakes; there are intake, ")
    assert upgraded == []
