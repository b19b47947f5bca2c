"""Commands are known by their keys for a month; then they are deleted, in every service that notes any."""

from __future__ import annotations

import importlib
from pathlib import Path

import psycopg
import pytest

from backbone.messaging.topology import SERVICES
from deploy.local.parts import PostgreSQL, RabbitMQ
from tests.support.notify import environment_of, providers
from tests.support.processes import ServiceProcess, eventually


@pytest.mark.parametrize("name", SERVICES)
def test_every_table_of_commands_is_pruned(name: str) -> None:
    metadata = importlib.import_module(f"services.{name}.models").metadata
    service = importlib.import_module(f"services.{name}.service").Service
    noting = {table.name for table in metadata.sorted_tables if "command_hash" in table.columns}
    assert {table.name for table in service.command_tables} == noting


def test_a_running_service_deletes_what_is_older_than_a_month(
    broker: RabbitMQ, postgres: PostgreSQL, tmp_path: Path
) -> None:
    with providers() as (simulator, _):
        environment = environment_of(broker.url, postgres.url, "notify_old_commands", simulator)
        url = environment["DATABASE_URL"].replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            for table in ("webhook_commands", "text_commands"):
                connection.execute(
                    f"INSERT INTO {table} (actor, key, command_hash, done_at) VALUES"
                    " ('staff:1', 'old', 'h', now() - interval '31 days'), ('staff:1', 'recent', 'h', now() - interval '29 days')"
                )

            def keys() -> list[str]:
                rows = connection.execute("SELECT key FROM webhook_commands UNION ALL SELECT key FROM text_commands")
                return sorted(key for (key,) in rows)

            service = ServiceProcess("notify", environment, tmp_path / "notify.log").start()
            try:
                eventually(lambda: keys() == ["recent", "recent"], timeout=40)
            finally:
                service.stop()
