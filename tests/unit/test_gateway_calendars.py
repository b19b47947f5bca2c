"""The calendar feed: RFC 5545 as calendar programs read it, at an address that is told once."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.calendars import CalendarEntries, CalendarEntry, CalendarFeed, MakeCalendarFeed
from contracts.errors import NotFound
from contracts.vocabulary import Language, Role
from gateway.calendars import icalendar
from tests.support.gateway import UNLIMITED, Gateway, bearer, refusing

STAMP = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
FEED = CalendarEntries(
    language=Language.FA,
    items=[
        CalendarEntry(uid=UUID(int=1), kind="decision_due", number="1405-000123", on=date(2026, 12, 31), stamp=STAMP),
        CalendarEntry(
            uid=UUID(int=2),
            kind="visit",
            number="1405-000124",
            starts_at=datetime(2026, 12, 2, 6, 30, tzinfo=UTC),
            ends_at=datetime(2026, 12, 2, 7, 0, tzinfo=UTC),
            stamp=STAMP,
        ),
    ],
)

SECRET = "s3cr-t_" + "a" * 36
ADDRESS = f"/v1/calendars/{SECRET}.ics"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return Gateway(tmp_path_factory.mktemp("calendars"), **UNLIMITED)


def lines(document: bytes) -> list[str]:
    """Unfolded, as a program reads it."""
    assert document.endswith(b"\r\n")
    assert all(len(line) <= 75 for line in document.split(b"\r\n"))
    assert b"\n" not in document.replace(b"\r\n", b"")
    return document.decode().replace("\r\n ", "").split("\r\n")[:-1]


def test_a_feed_is_whole_days_and_times_with_numbers_alone() -> None:
    assert lines(icalendar.document(FEED)) == [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Peygir//Calendar//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"),
        *("X-WR-CALNAME:مهلت‌ها و مراجعه‌ها", "REFRESH-INTERVAL;VALUE=DURATION:PT1H"),
        *("BEGIN:VEVENT", "UID:00000000-0000-0000-0000-000000000001@peygir", "DTSTAMP:20261120T083000Z"),
        *("DTSTART;VALUE=DATE:20261231", "DTEND;VALUE=DATE:20270101", "TRANSP:TRANSPARENT"),
        *("SUMMARY:مهلت رسیدگی به پرونده 1405-000123", "CLASS:PRIVATE", "END:VEVENT"),
        *("BEGIN:VEVENT", "UID:00000000-0000-0000-0000-000000000002@peygir", "DTSTAMP:20261120T083000Z"),
        *("DTSTART:20261202T063000Z", "DTEND:20261202T070000Z"),
        *("SUMMARY:مراجعه حضوری: پرونده 1405-000124", "CLASS:PRIVATE", "END:VEVENT"),
        "END:VCALENDAR",
    ]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=300))
def test_a_line_is_folded_without_losing_a_letter(text: str) -> None:
    parts = list(icalendar.folded(text))
    assert all(len(part) <= 75 for part in parts)
    assert parts[0].decode() + "".join(part.decode()[1:] for part in parts[1:]) == text
    assert "\n" not in icalendar.escaped(f"{text}\r\n")


def test_an_address_is_told_once_and_only_its_hash_goes_on(gateway: Gateway) -> None:
    gateway.rabbit.answers["tracking.make_calendar_feed"] = lambda _: CalendarFeed(made_at=STAMP)
    headers = bearer(gateway.keys.staff(Role.INSPECTOR))
    made = [gateway.send("PUT", "/v1/calendar", headers=headers) for _ in range(2)]
    paths = [answer.json()["path"] for answer in made]
    assert paths[0] != paths[1]
    request = gateway.rabbit.calls[-1][1]
    assert isinstance(request, MakeCalendarFeed)
    secret = paths[1].removeprefix("/v1/calendars/").removesuffix(".ics")
    assert request.secret_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in request.model_dump_json()
    assert gateway.send("PUT", "/v1/calendar").status_code == 401


def test_a_feed_is_read_by_its_address_and_not_again_while_it_is_the_same(gateway: Gateway) -> None:
    gateway.rabbit.answers["tracking.read_calendar_feed"] = lambda _: FEED
    first = gateway.send("GET", ADDRESS)
    assert (first.status_code, first.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert first.content == icalendar.document(FEED)
    again = gateway.send("GET", ADDRESS, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = FEED.model_copy(update={"items": FEED.items[:1]})
    gateway.rabbit.answers["tracking.read_calendar_feed"] = lambda _: other
    later = gateway.send("GET", ADDRESS, headers={"If-None-Match": first.headers["etag"]})
    assert later.status_code == 200


def test_a_dead_address_is_unknown_and_what_is_none_is_not_asked_for(gateway: Gateway) -> None:
    gateway.rabbit.answers["tracking.read_calendar_feed"] = refusing(NotFound())
    assert gateway.send("GET", ADDRESS).status_code == 404
    gateway.rabbit.calls.clear()
    for secret in ("x", SECRET + "x", "ا" * 43, "۱" * 43, "." * 43):
        answer = gateway.send("GET", f"/v1/calendars/{secret}.ics")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert secret not in answer.text
    assert gateway.rabbit.calls == []


def test_a_feed_is_kept_by_nobody_on_the_way_and_found_by_no_search_engine(gateway: Gateway) -> None:
    gateway.rabbit.answers["tracking.read_calendar_feed"] = lambda _: FEED
    headers = gateway.send("GET", ADDRESS).headers
    expected = {"cache-control": "private, no-cache", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}
    assert {name: headers[name] for name in expected} == expected
