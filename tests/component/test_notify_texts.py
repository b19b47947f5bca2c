"""The administrator's texts in notify's own database: changed once, sent from the next message on, kept in a history."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backbone.tables.reading import Refused
from backbone.tables.writing import BOM, csv_line
from contracts.errors import InvalidField, KeyReused, NotAllowed, NotFound, StaleVersion
from contracts.gateway import Actor
from contracts.notify import (
    ChangeNotificationText,
    ListNotificationTextHistory,
    ListNotificationTexts,
    MessageChannel,
    NotificationText,
)
from contracts.vocabulary import ActorKind, Role
from services.notify import importing
from tests.support.notify import NotifyFixture

ADMINISTRATOR = Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({Role.ADMINISTRATOR}))
FA, EN = "{kind} پایان یافت.\n{code}", "Your {kind} is over.\n{code}"


def change(notify: NotifyFixture, version: int = 0, name: str = "withdrawn", **more: Any) -> NotificationText:
    about = {"actor": ADMINISTRATOR, "idempotency_key": uuid4().hex, "text_fa": FA, "text_en": EN, **more}
    request = ChangeNotificationText(channel=MessageChannel.SMS, name=name, expected_version=version, **about)
    with notify.database.transaction() as connection:
        return notify.app.texts.change_text(connection, request)


def test_a_change_is_visible_and_has_its_effect_once(notify: NotifyFixture) -> None:
    key = uuid4().hex
    first = change(notify, idempotency_key=key)
    assert (first.text_fa, first.changed, first.version) == (FA, True, 1)
    assert change(notify, idempotency_key=key) == first
    with pytest.raises(KeyReused):
        change(notify, idempotency_key=key, text_en="Over: {kind}\n{code}")
    with pytest.raises(StaleVersion):
        change(notify, version=0)
    with notify.database.read() as connection:
        history = notify.app.texts.history(connection, ListNotificationTextHistory(actor=ADMINISTRATOR))
        listed = notify.app.texts.list_texts(connection, ListNotificationTexts(actor=ADMINISTRATOR)).items
    newest = history.items[0]
    assert (newest.by, newest.before_fa, newest.after_fa) == (ADMINISTRATOR.id, None, FA)
    assert [text.name for text in listed if text.changed] == ["withdrawn"]


def test_the_shipped_text_can_be_restored(notify: NotifyFixture) -> None:
    change(notify)
    restored = change(notify, version=1, text_fa=None, text_en=None)
    assert (restored.text_fa, restored.changed, restored.version) == (restored.shipped_fa, False, 2)


def test_an_unused_text_cannot_be_changed(notify: NotifyFixture) -> None:
    with pytest.raises(NotFound):
        change(notify, name="gone")


def test_a_refused_text_leaves_its_key_free(notify: NotifyFixture) -> None:
    key = uuid4().hex
    with pytest.raises(InvalidField):
        change(notify, idempotency_key=key, text_fa=FA + " www.a.ir")
    assert change(notify, idempotency_key=key).changed


@pytest.mark.parametrize("role", [Role.HEAD, Role.ANALYST])
def test_nobody_else_changes_texts(notify: NotifyFixture, role: Role) -> None:
    with pytest.raises(NotAllowed):
        change(notify, actor=Actor(kind=ActorKind.STAFF, id=str(uuid4()), roles=frozenset({role})))


@pytest.mark.parametrize("statement", ["UPDATE text_history SET by = 'x'", "DELETE FROM text_history"])
def test_the_history_only_grows(notify: NotifyFixture, statement: str) -> None:
    change(notify)
    with pytest.raises(DBAPIError, match="the history only grows"), notify.database.transaction() as connection:
        connection.execute(text(statement))


def test_a_table_of_texts_is_imported_completely_or_not_at_all(notify: NotifyFixture, tmp_path: Path) -> None:
    def take(*lines: str) -> importing.ImportResult:
        path = tmp_path / "texts.csv"
        path.write_text("\n".join(("channel,name,text_fa,text_en", *lines)), encoding="utf-8")
        with notify.database.transaction() as connection:
            return importing.import_table(connection, path)

    def shown(name: str) -> NotificationText:
        request = ListNotificationTexts(actor=ADMINISTRATOR)
        with notify.database.read() as connection:
            listed = notify.app.texts.list_texts(connection, request).items
        return next(item for item in listed if (item.channel, item.name) == (MessageChannel.SMS, name))

    row = f'sms,withdrawn,"{FA}","{EN}"'
    with pytest.raises(Refused) as refused:
        take(row, "sms,no_such_text,الف,a", f'sms,withdrawn,"{FA}",', 'sms,closed,"بی‌کد","{no_such_value}"')
    assert {(mistake.row, mistake.column) for mistake in refused.value.mistakes} >= {(3, "name"), (4, "name")}
    assert not shown("withdrawn").changed

    assert take(row) == importing.ImportResult(changed=1, same=0)
    assert take(row) == importing.ImportResult(changed=0, same=1)
    assert (shown("withdrawn").text_fa, shown("withdrawn").version) == (FA, 1)
    with notify.database.read() as connection:
        history = notify.app.texts.history(connection, ListNotificationTextHistory(actor=ADMINISTRATOR)).items
    assert [(change.by, change.name) for change in history[:1]] == [("import notification-texts", "withdrawn")]
    assert take("sms,withdrawn,,") == importing.ImportResult(changed=0, same=1)  # says nothing
    with pytest.raises(Refused) as refused:
        take("sms,withdrawn,-,")
    assert [(mistake.row, mistake.column) for mistake in refused.value.mistakes] == [(2, "text_fa")]
    with notify.database.read() as connection:
        rows = list(importing.export_table(connection))
    assert ["sms", "withdrawn", FA, EN] in rows
    exported = tmp_path / "exported.csv"
    exported.write_bytes(BOM + b"".join(map(csv_line, rows)))
    with notify.database.transaction() as connection:
        assert importing.import_table(connection, exported) == importing.ImportResult(0, len(rows) - 1)
    assert take("sms,withdrawn,-,خالی") == importing.ImportResult(changed=1, same=0)
    assert shown("withdrawn").text_fa == shown("withdrawn").shipped_fa
