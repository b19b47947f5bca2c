"""How far a service's database is: its migrations, and what waits in its outbox."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Connection, text

from contracts.operations import ServiceStatus


def read(connection: Connection, service: str, version: str) -> ServiceStatus:
    """Of the process that asks; `version`: its release."""
    row = connection.execute(
        text(
            "SELECT (SELECT min(version_num) FROM alembic_version) AS revision, (SELECT count(*) FROM outbox) AS waiting,"
            " (SELECT min(created_at) FROM outbox) AS since"
        )
    ).one()
    return ServiceStatus(
        version=version,
        revision=row.revision,
        known_revision=_known_revision(service),
        outbox_waiting=row.waiting,
        outbox_since=row.since,
    )


@cache
def _known_revision(service: str) -> str | None:
    """The newest migration that this release brings."""
    from alembic.script import ScriptDirectory  # here: it is needed once, and slow to import

    from backbone.storage.migrate import ROOT

    return ScriptDirectory(str(ROOT / service / "migrations")).get_current_head()
