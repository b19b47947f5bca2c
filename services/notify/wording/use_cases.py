"""The administrator's texts: reading them, changing them one by one or by table, and their history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from backbone.persian import normalisation as persian
from backbone.storage import idempotency
from contracts import sms
from contracts.errors import InvalidField, NotAllowed, NotFound, StaleVersion
from contracts.gateway import Actor
from contracts.notify import (
    ChangeNotificationText,
    ListNotificationTextHistory,
    ListNotificationTexts,
    MessageChannel,
    NotificationText,
    NotificationTextHistory,
    NotificationTextPreview,
    NotificationTexts,
    PreviewedText,
    PreviewNotificationText,
)
from contracts.vocabulary import ActorKind, Language, Role
from services.notify.models import text_commands
from services.notify.notifications.rules import NotificationRegistry
from services.notify.notifications.store import refusal_reason_names
from services.notify.notifications.validation import longest_values, offered_values
from services.notify.wording import store
from services.notify.wording.rules import (
    LANGUAGES,
    MAX_SMS_PARTS,
    NAMED_VALUES,
    REQUIRED_VALUES,
    RefusalName,
    is_gsm,
    sms_length,
    sms_parts,
)
from services.notify.wording.samples import sample_values
from services.notify.wording.templates import OFFICE, Templates
from texts.loading import placeholders


class TextUseCases:
    """For the administrator."""

    def __init__(self, registry: NotificationRegistry, shipped: Templates) -> None:
        self._registry = registry
        self._shipped = shipped

    def list_texts(self, connection: Connection, request: ListNotificationTexts) -> NotificationTexts:
        """Every text, by channel and name as they are shipped."""
        _require_administrator(request.actor)
        rows = store.changed_texts(connection)
        names = dict.fromkeys((channel, name) for channel, name, _ in self._shipped.texts)
        return NotificationTexts(
            items=[self._shown(channel, name, rows.get((channel, name))) for channel, name in names]
        )

    def change_text(self, connection: Connection, request: ChangeNotificationText) -> NotificationText:
        """Other words for one text, from the next message on. NotFound, StaleVersion, InvalidField, KeyReused."""
        _require_administrator(request.actor)
        key = (request.channel.value, request.name)
        if (*key, "fa") not in self._shipped.texts:
            raise NotFound
        digest = idempotency.command_hash(request)
        if not idempotency.repeated(connection, text_commands, request.actor, request.idempotency_key, digest):
            row = store.lock_text(connection, *key)
            if row.version != request.expected_version:
                raise StaleVersion(current=row.version)
            texts = {language: _typed(getattr(request, f"text_{language}")) for language in LANGUAGES}
            if mistakes := list(self.mistakes(*key, texts, refusal_reason_names(connection))):
                raise InvalidField(fields=mistakes)
            if _differ(row, texts):
                store.replace_text(connection, request.actor.id, row, texts)
        return self._shown(*key, store.lock_text(connection, *key))

    def preview(self, connection: Connection, request: PreviewNotificationText) -> NotificationTextPreview:
        """A text as it would be sent. NotFound, InvalidField."""
        _require_administrator(request.actor)
        channel, name = request.channel.value, request.name
        if (channel, name, "fa") not in self._shipped.texts:
            raise NotFound
        typed = {language: _typed(getattr(request, f"text_{language}")) for language in LANGUAGES}
        refusal_reasons = refusal_reason_names(connection)
        mistakes = list(self.mistakes(channel, name, typed, refusal_reasons))
        if mistakes := [mistake for mistake in mistakes if mistake["reason"] != "too_many_parts"]:
            raise InvalidField(fields=mistakes)
        offered = offered_values(self._registry, self._shipped, channel, name)
        if unknown := sorted(request.values.keys() - offered):
            raise InvalidField(fields=[{"field": "values", "reason": "value_not_offered", "value": ", ".join(unknown)}])
        now_sent = store.with_changes(connection, self._shipped)
        names = replace(self._shipped.names, refusal_reasons=refusal_reasons)
        previews, filled_in = {}, {}
        for language in LANGUAGES:
            text = typed[language] or now_sent.texts[channel, name, language].text
            samples = sample_values(replace(self._shipped, names=names), language, self._registry.values)
            samples[OFFICE] = self._shipped.office[language]
            values = {value: request.values.get(value, samples.get(value, "")) for value in sorted(offered)}
            longest = {**longest_values(self._registry, Language(language), names), OFFICE: samples[OFFICE]}
            previews[language] = _previewed(channel, text.format_map(values), text.format_map(longest))
            filled_in[language] = {value: values[value] for value in sorted(placeholders(text))}
        return NotificationTextPreview(
            fa=previews["fa"],
            en=previews["en"],
            values_fa=filled_in["fa"],
            values_en=filled_in["en"],
            most_parts=MAX_SMS_PARTS,
        )

    def import_texts(self, connection: Connection, by: str, rows: Mapping[tuple[str, str], Mapping[str, str]]) -> int:
        """Many texts at once, by channel and name: other words by language, or with "" for both those that are shipped; a
        language that is not there keeps its words; how many differ. InvalidField naming `item`, (channel, name), for each
        mistake."""
        mistakes: list[dict[str, Any]] = []
        changed = 0
        for key, typed in rows.items():
            if (*key, "fa") not in self._shipped.texts:
                mistakes.append({"item": key, "field": "name", "reason": "enum"})
                continue
            row = store.lock_text(connection, *key)
            texts = {language: _typed(typed.get(language, getattr(row, language))) for language in LANGUAGES}
            of_row = self.mistakes(*key, texts, refusal_reason_names(connection))
            mistakes += [{"item": key, **mistake} for mistake in of_row]
            if not mistakes and _differ(row, texts):
                store.replace_text(connection, by, row, texts)
                changed += 1
        if mistakes:
            raise InvalidField(fields=mistakes)
        return changed

    def changeable_texts(self, connection: Connection) -> Iterator[tuple[str, str, str | None, str | None]]:
        """Channel, name, and the words that were given instead of the shipped ones, of every text that may be changed."""
        rows = store.changed_texts(connection)
        for (channel, name, language), shipped in self._shipped.texts.items():
            if language == "fa" and shipped.approved is None and not shipped.fixed:
                row = rows.get((channel, name))
                yield channel, name, *((row.fa, row.en) if row is not None else (None, None))

    def history(self, connection: Connection, request: ListNotificationTextHistory) -> NotificationTextHistory:
        """Who changed which text, the newest first."""
        _require_administrator(request.actor)
        changes = store.history(connection, request.after, request.limit + 1)
        page = changes[: request.limit]
        return NotificationTextHistory(items=page, next=str(page[-1].id) if len(changes) > request.limit else None)

    def mistakes(
        self,
        channel: str,
        name: str,
        texts: Mapping[str, str | None],
        refusal_reasons: Sequence[RefusalName] = (),
    ) -> Iterator[dict[str, Any]]:
        """What is wrong with both texts; nothing is with two that are None."""
        if all(text is None for text in texts.values()):
            return
        shipped = self._shipped.texts[channel, name, "fa"]
        if shipped.approved is not None or shipped.fixed:
            yield {"field": "text_fa", "reason": "fixed_text" if shipped.fixed else "approved_by_provider"}
            return
        named = []
        for language, text in texts.items():
            field = f"text_{language}"
            if text is None:
                yield {"field": field, "reason": "missing"}
                continue
            if sms.has_hidden_letters(text, lines=True):
                yield {"field": field, "reason": "forbidden_characters"}
            try:
                values = placeholders(text)
            except ValueError:
                yield {"field": field, "reason": "bad_placeholder"}
                continue
            named.append(values)
            for mistake in self._mistakes_of_text(channel, name, language, text, values, refusal_reasons):
                yield {"field": field, **mistake}
        if len(set(named)) > 1:
            yield {"field": "text_en", "reason": "values_differ"}

    def _mistakes_of_text(
        self,
        channel: str,
        name: str,
        language: str,
        text: str,
        values: frozenset[str],
        refusal_reasons: Sequence[RefusalName],
    ) -> Iterator[dict[str, Any]]:
        """What is wrong with one text whose placeholders can be read."""
        unknown = sorted(values - offered_values(self._registry, self._shipped, channel, name))
        if unknown:
            yield {"reason": "value_not_offered", "value": ", ".join(unknown)}
        shipped = self._shipped.texts[channel, name, language].placeholders
        for value in REQUIRED_VALUES:
            if value in shipped and f"{{{value}}}" not in text.splitlines():
                yield {"reason": "value_on_own_line", "value": value}
        for value in NAMED_VALUES:
            if value in shipped and value not in values:
                yield {"reason": "value_missing", "value": value}
        if channel != MessageChannel.SMS:
            return
        if (link := sms.link_in(text)) is not None:
            yield {"reason": "link_in_sms", "value": link}
        if not unknown:
            names = replace(self._shipped.names, refusal_reasons=refusal_reasons)
            longest = longest_values(self._registry, Language(language), names)
            longest[OFFICE] = self._shipped.office[language]
            if sms_parts(text.format_map(longest)) > MAX_SMS_PARTS:
                yield {"reason": "too_many_parts", "most": MAX_SMS_PARTS}

    def _shown(self, channel: str, name: str, row: store.AnyRow | None) -> NotificationText:
        shipped = {language: self._shipped.texts[channel, name, language] for language in LANGUAGES}
        changed = row is not None and row.fa is not None
        return NotificationText(
            channel=MessageChannel(channel),
            name=name,
            text_fa=row.fa if row is not None and changed else shipped["fa"].text,
            text_en=row.en if row is not None and changed else shipped["en"].text,
            values=sorted(offered_values(self._registry, self._shipped, channel, name)),
            changed=changed,
            shipped_fa=shipped["fa"].text,
            shipped_en=shipped["en"].text,
            approved=shipped["fa"].approved is not None,
            fixed=shipped["fa"].fixed,
            version=row.version if row is not None else 0,
        )


def _previewed(channel: str, text: str, longest: str) -> PreviewedText:
    if channel != MessageChannel.SMS:
        return PreviewedText(text=text, characters=len(text))
    return PreviewedText(
        text=text,
        characters=sms_length(text),
        encoding="gsm" if all(map(is_gsm, text)) else "ucs2",
        parts=sms_parts(text),
        longest_parts=sms_parts(longest),
    )


def _differ(row: store.AnyRow, texts: Mapping[str, str | None]) -> bool:
    return any(getattr(row, language) != text for language, text in texts.items())


def _typed(text: str | None) -> str | None:
    return None if text is None or persian.is_blank(text) else text.replace("\r\n", "\n").strip()


def _require_administrator(actor: Actor) -> None:
    if actor.kind is not ActorKind.STAFF or Role.ADMINISTRATOR not in actor.roles:
        raise NotAllowed
