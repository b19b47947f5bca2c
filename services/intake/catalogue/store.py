"""The catalogue, version by version, and the history of its changes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select

from contracts.intake import Catalogue, ConfigurationChange, Ground, ListConfigurationHistory, Unit
from services.intake.catalogue.rules import REFUSAL_REASONS, ROOT_CAUSES, Difference
from services.intake.models import (
    catalogue_versions,
    configuration_history,
    grounds,
    holidays,
    settings,
    units,
)

VERSION = "SELECT coalesce(max(version), 0) FROM catalogue_versions"
"""The newest version, 0 when there is no catalogue yet, also as a part of a larger query."""


def catalogue_version(connection: Connection) -> int:
    """The newest version; 0 when there is no catalogue yet."""
    return int(connection.exec_driver_sql(VERSION).scalar_one())


SETTINGS = tuple(name for name in Catalogue.model_fields if name not in ("version", "units", "grounds", "holidays"))
"""Parts of the catalogue that are stored as one value each."""


def lock_catalogue(connection: Connection) -> None:
    """Changes of the catalogue are made one at a time: held until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(7_204_506)))


def catalogue(connection: Connection) -> Catalogue:
    """The whole catalogue as it is now, with defaults for what nobody has set."""
    values = {row.name: row.value for row in connection.execute(select(settings.c.name, settings.c.value))}
    return Catalogue(
        version=catalogue_version(connection),
        units=[
            Unit(**{name: value for name, value in row._mapping.items() if name != "position"})
            for row in connection.execute(select(units).order_by(units.c.position))
        ],
        grounds=[
            Ground(**{name: value for name, value in row._mapping.items() if name != "position"})
            for row in connection.execute(select(grounds).order_by(grounds.c.position))
        ],
        holidays=list(connection.execute(select(holidays.c.day).order_by(holidays.c.day)).scalars()),
        **{
            "refusal_reasons": REFUSAL_REASONS,
            "root_causes": ROOT_CAUSES,
            **{name: value for name, value in values.items() if name in SETTINGS},
        },
    )


def replace_catalogue(connection: Connection, new: Catalogue) -> int | None:
    """Stores the catalogue whole; its new version, or None when nothing differs."""
    content_hash = hashlib.sha256(new.model_dump_json(exclude={"version"}).encode()).hexdigest()
    lock_catalogue(connection)
    newest = select(catalogue_versions.c.content_hash).order_by(catalogue_versions.c.version.desc()).limit(1)
    if connection.execute(newest).scalar() == content_hash:
        return None
    for table in (units, grounds, holidays, settings):
        connection.execute(delete(table))
    connection.execute(insert(units), [dict(unit) | {"position": at} for at, unit in enumerate(new.units)])
    connection.execute(
        insert(grounds), [ground.model_dump(mode="json") | {"position": at} for at, ground in enumerate(new.grounds)]
    )
    if new.holidays:
        connection.execute(insert(holidays), [{"day": day} for day in new.holidays])
    values = new.model_dump(mode="json", include=set(SETTINGS))
    connection.execute(insert(settings), [{"name": name, "value": value} for name, value in values.items()])
    version: int = connection.execute(
        insert(catalogue_versions).values(content_hash=content_hash).returning(catalogue_versions.c.version)
    ).scalar_one()
    return version


def add_history(connection: Connection, by: str, version: int, differences: Sequence[Difference]) -> None:
    """Who changed what from what to what; only ever appended to."""
    connection.execute(
        insert(configuration_history),
        [
            {
                "by": by,
                "what": difference.what,
                "code": difference.code,
                "before": difference.before,
                "after": difference.after,
                "version": version,
            }
            for difference in differences
        ],
    )


def history(connection: Connection, request: ListConfigurationHistory, limit: int) -> list[ConfigurationChange]:
    """Changes, the newest first."""
    table = configuration_history
    chosen = select(table).order_by(table.c.id.desc()).limit(limit)
    for column, value in ((table.c.what, request.what), (table.c.code, request.code)):
        chosen = chosen if value is None else chosen.where(column == value)
    if request.after is not None:
        chosen = chosen.where(table.c.id < request.after)
    return [ConfigurationChange(**row._mapping) for row in connection.execute(chosen)]


def history_since(connection: Connection, version: int, limit: int = 20) -> list[ConfigurationChange]:
    """The first changes after a version."""
    table = configuration_history
    chosen = select(table).where(table.c.version > version).order_by(table.c.id).limit(limit)
    return [ConfigurationChange(**row._mapping) for row in connection.execute(chosen)]
