"""The files made from accepted uploads, and where the object store keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from services.media.models import files
from services.media.processing.rules import DerivedFile


def add_files(connection: Connection, upload_id: str, made: Sequence[tuple[DerivedFile, str]]) -> None:
    """The files made from an accepted upload, each with its key in the object store."""
    connection.execute(
        insert(files),
        [
            {
                "upload_id": upload_id,
                "variant": file.variant.value,
                "key": key,
                "content_type": file.content_type,
                "size": file.size,
                "sha256": file.sha256,
                "width": file.pixels[0] if file.pixels else None,
                "height": file.pixels[1] if file.pixels else None,
            }
            for file, key in made
        ],
    )


def file_of(connection: Connection, upload_id: str, variant: str) -> Row[Any] | None:
    """One file made from an upload, or None."""
    return connection.execute(
        select(files).where(files.c.upload_id == upload_id, files.c.variant == variant)
    ).one_or_none()


def keys_of(connection: Connection, upload_id: str) -> set[str]:
    """The keys of all files made from an upload."""
    return set(connection.execute(select(files.c.key).where(files.c.upload_id == upload_id)).scalars())
