"""Queries of the administrator's texts: what stands in place of shipped ones, and who changed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from contracts.notify import NotificationTextChange
from services.notify.models import text_history, texts
from services.notify.wording.rules import LANGUAGES
from services.notify.wording.templates import Templates

AnyRow = Row[Any]
BothTexts = Mapping[str, str | None]
"""Language → text; None in both: as shipped."""


def with_changes(connection: Connection, shipped: Templates) -> Templates:
    """The texts as they are now."""
    rows = connection.execute(select(texts).where(texts.c.fa.is_not(None)))
    return shipped.with_texts(
        {(row.channel, row.name, language): getattr(row, language) for row in rows for language in LANGUAGES}
    )


def changed_texts(connection: Connection) -> dict[tuple[str, str], AnyRow]:
    """Every text that was ever changed, by channel and name."""
    return {(row.channel, row.name): row for row in connection.execute(select(texts))}


def lock_text(connection: Connection, channel: str, name: str) -> AnyRow:
    """The row of one text, inserted when there is none, locked: one change at a time."""
    new = upsert(texts).values(channel=channel, name=name, version=0).on_conflict_do_nothing()
    connection.execute(new)
    this = (texts.c.channel == channel) & (texts.c.name == name)
    return connection.execute(select(texts).where(this).with_for_update()).one()


def replace_text(connection: Connection, by: str, row: AnyRow, new: BothTexts) -> None:
    """Stores other words in place of those of `row`, and who changed them."""
    this = (texts.c.channel == row.channel) & (texts.c.name == row.name)
    connection.execute(texts.update().where(this).values(**new, version=row.version + 1))
    connection.execute(
        insert(text_history).values(
            by=by,
            channel=row.channel,
            name=row.name,
            **{f"before_{language}": getattr(row, language) for language in LANGUAGES},
            **{f"after_{language}": text for language, text in new.items()},
        )
    )


def history(connection: Connection, before: int | None, limit: int) -> list[NotificationTextChange]:
    """Changes, the newest first, or those older than the given one."""
    chosen = select(text_history).order_by(text_history.c.id.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(text_history.c.id < before)
    return [NotificationTextChange(**row._mapping) for row in connection.execute(chosen)]
