"""The administrator's words: what is shipped in routing/templates.toml, and what stands in its place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from backbone.persian import normalisation as persian
from contracts import sms
from contracts.errors import InvalidField, KeyReused, NotAllowed, NotFound, StaleVersion
from contracts.gateway import Actor
from contracts.notify import (
    ChangeNotificationText,
    ListNotificationTextHistory,
    ListNotificationTexts,
    MessageChannel,
    NotificationText,
    NotificationTextChange,
    NotificationTextHistory,
    NotificationTexts,
)
from contracts.vocabulary import ActorKind, Language, Role
from services.notify import store
from services.notify.domain import code_for_sms, sms_parts
from services.notify.models import text_commands, text_history, texts
from services.notify.routing import LANGUAGES, Table, needs_of, table
from texts.vocabulary import OUTCOME_NAMES, REFUSAL_NAMES, STAGE_NAMES

MOST_PARTS = 2
_CARRIES = ("code", "otp")
"""Values without which the person could not go on: a text that is shipped with one has to keep it."""


def current(connection: Connection, shipped: Table) -> Table:
    """The words as they are now."""
    rows = connection.execute(select(texts).where(texts.c.fa.is_not(None)))
    return shipped.with_texts(
        {(row.channel, row.name, language): getattr(row, language) for row in rows for language in LANGUAGES}
    )


class Texts:
    """The use cases of the administrator."""

    def __init__(self, words: Table | None = None) -> None:
        self._shipped = words or table()

    def list_texts(self, connection: Connection, request: ListNotificationTexts) -> NotificationTexts:
        """Every text, by channel and name as they are shipped."""
        _only_administrator(request.actor)
        rows = {(row.channel, row.name): row for row in connection.execute(select(texts))}
        names = dict.fromkeys((channel, name) for channel, name, _ in self._shipped.texts)
        return NotificationTexts(
            items=[self._shown(channel, name, rows.get((channel, name))) for channel, name in names]
        )

    def change_text(self, connection: Connection, request: ChangeNotificationText) -> NotificationText:
        """Other words for one text, from the next message on. NotFound, StaleVersion, InvalidField, KeyReused."""
        _only_administrator(request.actor)
        key = (request.channel.value, request.name)
        if (*key, "fa") not in self._shipped.texts:
            raise NotFound
        if not self._again(connection, request):
            row = _locked(connection, *key)
            if row.version != request.expected_version:
                raise StaleVersion(current=row.version)
            told = {language: _typed(getattr(request, f"text_{language}")) for language in LANGUAGES}
            if wrong := list(self._wrong(*key, told, store.reasons(connection))):
                raise InvalidField(fields=wrong)
            self._replace(connection, request.actor.id, row, told)
        return self._shown(*key, _locked(connection, *key))

    def take(self, connection: Connection, by: str, given: Mapping[tuple[str, str], Mapping[str, str | None]]) -> int:
        """Many texts at once, by channel and name: other words, or with None for both languages those that are shipped; how
        many differ. InvalidField naming `item`, (channel, name), for each mistake."""
        wrong, changed = [], 0
        for key, typed in given.items():
            if (*key, "fa") not in self._shipped.texts:
                wrong.append({"item": key, "field": "name", "reason": "enum"})
                continue
            told = {language: _typed(typed[language]) for language in LANGUAGES}
            wrong += [{"item": key, **one} for one in self._wrong(*key, told, store.reasons(connection))]
            row = _locked(connection, *key)
            if not wrong and any(getattr(row, language) != text for language, text in told.items()):
                self._replace(connection, by, row, told)
                changed += 1
        if wrong:
            raise InvalidField(fields=wrong)
        return changed

    def history(self, connection: Connection, request: ListNotificationTextHistory) -> NotificationTextHistory:
        """Who changed which text, the newest first."""
        _only_administrator(request.actor)
        chosen = select(text_history).order_by(text_history.c.id.desc()).limit(request.limit + 1)
        if request.after is not None:
            chosen = chosen.where(text_history.c.id < request.after)
        found = [NotificationTextChange(**row._mapping) for row in connection.execute(chosen)]
        shown = found[: request.limit]
        return NotificationTextHistory(items=shown, next=str(shown[-1].id) if len(found) > request.limit else None)

    def _replace(self, connection: Connection, by: str, row: Any, told: Mapping[str, str | None]) -> None:
        if all(getattr(row, language) == text for language, text in told.items()):
            return
        this = (texts.c.channel == row.channel) & (texts.c.name == row.name)
        connection.execute(texts.update().where(this).values(**told, version=row.version + 1))
        connection.execute(
            insert(text_history).values(
                by=by,
                channel=row.channel,
                name=row.name,
                **{f"before_{language}": getattr(row, language) for language in LANGUAGES},
                **{f"after_{language}": text for language, text in told.items()},
            )
        )

    def _again(self, connection: Connection, request: ChangeNotificationText) -> bool:
        digest = hashlib.sha256(request.model_dump_json(exclude={"actor", "idempotency_key"}).encode()).hexdigest()
        row = {"actor": request.actor.id, "key": request.idempotency_key, "command_hash": digest}
        noted = upsert(text_commands).values(row).on_conflict_do_nothing().returning(text_commands.c.key)
        if connection.execute(noted).first() is not None:
            return False
        this = (text_commands.c.actor == request.actor.id) & (text_commands.c.key == request.idempotency_key)
        if connection.execute(select(text_commands.c.command_hash).where(this)).scalar_one() != digest:
            raise KeyReused
        return True

    # --- what a text may say ---

    def _wrong(
        self, channel: str, name: str, told: Mapping[str, str | None], reasons: Sequence[Any] = ()
    ) -> Iterator[dict[str, Any]]:
        """What is wrong with both texts; nothing is with two that are None."""
        if all(text is None for text in told.values()):
            return
        if self._shipped.texts[channel, name, "fa"].lookup is not None:
            yield {"field": "text_fa", "reason": "approved_by_provider"}
            return
        if self._shipped.texts[channel, name, "fa"].fixed:
            yield {"field": "text_fa", "reason": "fixed_text"}
            return
        offered, named = self._shipped.offers(channel, name), []
        for language, text in told.items():
            field = f"text_{language}"
            if text is None:
                yield {"field": field, "reason": "missing"}
                continue
            if sms.has_hidden_letters(text, lines=True):
                yield {"field": field, "reason": "forbidden_characters"}
            try:
                needs = needs_of(text)
            except ValueError:
                yield {"field": field, "reason": "bad_placeholder"}
                continue
            named.append(needs)
            unknown = sorted(needs - offered)
            if unknown:
                yield {"field": field, "reason": "value_not_offered", "value": ", ".join(unknown)}
            shipped = self._shipped.texts[channel, name, language].needs
            for value in _CARRIES:
                if value in shipped and f"{{{value}}}" not in text.splitlines():
                    yield {"field": field, "reason": "value_on_own_line", "value": value}
            if channel == MessageChannel.SMS:
                if (link := sms.link_in(text)) is not None:
                    yield {"field": field, "reason": "link_in_sms", "value": link}
                if not unknown and sms_parts(text.format_map(self._longest(language, reasons))) > MOST_PARTS:
                    yield {"field": field, "reason": "too_many_parts", "most": MOST_PARTS}
        if len(set(named)) > 1:
            yield {"field": "text_en", "reason": "values_differ"}

    def _longest(self, language: str, reasons: Sequence[Any]) -> dict[str, str]:
        """The longest that each value can be. `reasons`: as the administrator calls them, when that is known."""
        spoken = Language(language)
        names: dict[str, list[str]] = {
            "kind": [words[language] for words in self._shipped.kind_words.values()],
            "stage": [words[spoken] for words in STAGE_NAMES.values()],
            "outcome": [words[spoken] for words in OUTCOME_NAMES.values()],
            "reason": [getattr(row, language) for row in reasons]
            or [words[spoken] for words in REFUSAL_NAMES.values()],
        }
        return {
            **{name: max(words, key=len) for name, words in names.items()},
            "code": code_for_sms("0" * 16),
            "date": "1405/12/29",
            "otp": "000000",
            "number": "1405-000000",
            "when": "1405/00/00 ساعت 00:00" if language == "fa" else "1405/00/00 at 00:00",
            "place": "0" * 40,
            "office": self._shipped.office[language],
        }

    def _shown(self, channel: str, name: str, row: Any) -> NotificationText:
        shipped = {language: self._shipped.texts[channel, name, language] for language in LANGUAGES}
        changed = row is not None and row.fa is not None
        return NotificationText(
            channel=MessageChannel(channel),
            name=name,
            text_fa=row.fa if changed else shipped["fa"].text,
            text_en=row.en if changed else shipped["en"].text,
            values=sorted(self._shipped.offers(channel, name)),
            changed=changed,
            shipped_fa=shipped["fa"].text,
            shipped_en=shipped["en"].text,
            approved=shipped["fa"].lookup is not None,
            fixed=shipped["fa"].fixed,
            version=row.version if row is not None else 0,
        )


def _locked(connection: Connection, channel: str, name: str) -> Any:
    """The row of one text, made when it is not there, locked: one change at a time."""
    new = upsert(texts).values(channel=channel, name=name, version=0).on_conflict_do_nothing()
    connection.execute(new)
    this = (texts.c.channel == channel) & (texts.c.name == name)
    return connection.execute(select(texts).where(this).with_for_update()).one()


def _typed(text: str | None) -> str | None:
    return None if text is None or persian.is_blank(text) else text.replace("\r\n", "\n").strip()


def _only_administrator(actor: Actor) -> None:
    if actor.kind is not ActorKind.STAFF or Role.ADMINISTRATOR not in actor.roles:
        raise NotAllowed
