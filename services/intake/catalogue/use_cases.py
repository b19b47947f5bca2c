"""The catalogue as it is, and how the administrator changes it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import Connection

from backbone.messaging import outbox
from backbone.storage import idempotency
from contracts.base import now
from contracts.errors import InvalidField, NotAllowed, StaleVersion
from contracts.gateway import Actor
from contracts.intake import (
    Catalogue,
    CatalogueChanged,
    Change,
    ChangeConfiguration,
    ConfigurationHistory,
    GetConfiguration,
    ListConfigurationHistory,
)
from contracts.vocabulary import ActorKind, Role
from services.intake.catalogue import rules, store
from services.intake.models import configuration_commands


class CatalogueUseCases:
    """Keeps the catalogue in memory, and reads it again when the version in the database has grown."""

    def __init__(self) -> None:
        self._catalogue: Catalogue | None = None

    def current(self, connection: Connection) -> Catalogue:
        """The catalogue as it is now."""
        return self.of_version(connection, store.catalogue_version(connection))

    def of_version(self, connection: Connection, newest: int) -> Catalogue:
        """The same. `newest`: its version, which was looked up just now."""
        if self._catalogue is None or self._catalogue.version != newest:
            self._catalogue = store.catalogue(connection)
        return self._catalogue

    def configuration(self, connection: Connection, request: GetConfiguration) -> Catalogue:
        """The same, for the administrator. NotAllowed for anybody else."""
        _require_administrator(request.actor)
        return self.current(connection)

    def change(self, connection: Connection, request: ChangeConfiguration) -> Catalogue:
        """All of the changes or none; the catalogue after them. StaleVersion, InvalidField, KeyReused, NotAllowed."""
        _require_administrator(request.actor)
        store.lock_catalogue(connection)
        digest = idempotency.command_hash(request, exclude=["expected_version"])
        key = request.idempotency_key
        if not idempotency.repeated(connection, configuration_commands, request.actor, key, digest):
            version = store.catalogue_version(connection)
            if version != request.expected_version:
                later = store.history_since(connection, request.expected_version)
                raise StaleVersion(current=version, changes=[change.model_dump(mode="json") for change in later])
            apply_changes(connection, request.actor.id, request.changes, request.kept)
        return store.catalogue(connection)

    def history(self, connection: Connection, request: ListConfigurationHistory) -> ConfigurationHistory:
        """Who changed what, the newest first. NotAllowed for anybody but the administrator."""
        _require_administrator(request.actor)
        rows = store.history(connection, request, request.limit + 1)
        page = rows[: request.limit]
        return ConfigurationHistory(items=page, next=str(page[-1].id) if len(rows) > request.limit else None)


def apply_changes(connection: Connection, by: str, changes: Sequence[Change], kept: Sequence[str] = ()) -> int | None:
    """Changes the catalogue, records who did it, and publishes the new one; its version, or None when nothing differs.

    `by`: the id of a member of staff, or the name of a command. `kept`: as in `rules.apply`. InvalidField, and nothing
    changed, when the catalogue would have problems that it does not have now: what an earlier release accepted must not block
    other changes. The caller holds `lock_catalogue`."""
    old = store.catalogue(connection)
    new = rules.apply(old, changes, kept, now())
    present = set(rules.problems(old))
    if added := [problem for problem in rules.problems(new) if problem not in present]:
        raise InvalidField(fields=[problem.as_field(new) for problem in added])
    differences = rules.differences(old, new)
    if not differences:
        return None
    version = publish(connection, new)
    if version is not None:
        store.add_history(connection, by, version, differences)
    return version


def publish(connection: Connection, catalogue: Catalogue) -> int | None:
    """Stores a new catalogue and publishes it; its version, or None when it is the stored one."""
    version = store.replace_catalogue(connection, catalogue)
    if version is not None:
        published = catalogue.model_copy(update={"version": version})
        outbox.add(connection, CatalogueChanged(id=uuid4(), occurred_at=now(), catalogue=published))
    return version


def _require_administrator(actor: Actor) -> None:
    if actor.kind is not ActorKind.STAFF or Role.ADMINISTRATOR not in actor.roles:
        raise NotAllowed
