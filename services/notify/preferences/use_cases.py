"""How a person wants to be told, and whose device or preference it is."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from contracts.errors import InvalidField, NotAllowed, StillRegistering
from contracts.gateway import Actor
from contracts.preferences import ChangePreferences, Preferences, PreferredChannel, QuietTimes, ShowPreferences
from contracts.vocabulary import ActorKind
from services.notify.clock import Clock
from services.notify.delivery.rules import QuietHours
from services.notify.preferences import store
from services.notify.preferences.store import AS_THE_OFFICE_SENDS, Choice, Holder, HolderKind

_OF_STAFF = frozenset({PreferredChannel.BOTH, PreferredChannel.PUSH, PreferredChannel.NONE})
"""Staff get no SMS."""


def holder_of(connection: Connection, actor: Actor, code_hashes: Sequence[str]) -> Holder:
    """Who asks: a citizen, a member of staff, or the holder of a code. StillRegistering, NotAllowed."""
    if code_hashes:
        case_id = store.case_of_code(connection, code_hashes)
        if case_id is None:
            raise StillRegistering
        return Holder(HolderKind.CASE, case_id)
    if actor.kind is ActorKind.CITIZEN:
        return Holder(HolderKind.CITIZEN, UUID(actor.id))
    if actor.kind is ActorKind.STAFF:
        return Holder(HolderKind.STAFF, UUID(actor.id))
    raise NotAllowed


class PreferenceUseCases:
    """`office_quiet`: what holds while nobody chose other hours."""

    def __init__(self, office_quiet: QuietHours, clock: Clock) -> None:
        self._office_quiet, self._clock = office_quiet, clock

    def show(self, connection: Connection, request: ShowPreferences) -> Preferences:
        """What holds for who asks. StillRegistering, NotAllowed."""
        holder = holder_of(connection, request.actor, request.code_hashes)
        return self._shown(store.of_holder(connection, holder))

    def change(self, connection: Connection, request: ChangePreferences) -> Preferences:
        """All of them at once. StillRegistering, NotAllowed; InvalidField for a channel that there is not."""
        holder = holder_of(connection, request.actor, request.code_hashes)
        if holder.kind is HolderKind.STAFF and request.channel not in _OF_STAFF:
            raise InvalidField(fields=[{"field": "channel", "reason": "not_for_staff"}])
        quiet = None if request.quiet is None else _quiet_hours(request.quiet)
        choice = Choice(request.channel, request.language, quiet)
        if choice == AS_THE_OFFICE_SENDS and holder.kind is not HolderKind.CASE:
            store.forget(connection, holder)
            return self._shown(None)
        store.keep(connection, holder, choice, self._clock())  # of a case it goes before what an account chose
        return self._shown(choice)

    def _shown(self, choice: Choice | None) -> Preferences:
        shown = choice or AS_THE_OFFICE_SENDS
        office = self._office_quiet
        return Preferences(
            channel=shown.channel,
            language=shown.language,
            quiet=_times(shown.quiet) if shown.quiet else None,
            office_quiet=None if office.start == office.end else _times(office),
            chosen=choice is not None,
        )


def _quiet_hours(times: QuietTimes) -> QuietHours:
    return QuietHours.of_minutes(*map(_minutes, (times.start, times.until)))


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _times(quiet: QuietHours) -> QuietTimes:
    start, until = (f"{minutes // 60:02}:{minutes % 60:02}" for minutes in quiet.minutes)
    return QuietTimes(start=start, until=until)
