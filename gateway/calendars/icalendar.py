"""A calendar feed as iCalendar (RFC 5545): few properties, no time zones but UTC. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from contracts.calendars import CalendarEntries, CalendarEntry
from texts.loading import area

MEDIA_TYPE = "text/calendar; charset=utf-8"
_OCTETS = 75
"""Of a line, at most, before its CRLF (RFC 5545, 3.1)."""


def document(feed: CalendarEntries) -> bytes:
    """The feed; the same entries give the same bytes."""
    texts = area("calendar")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Peygir//Calendar//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(texts.text(feed.language, 'name'))}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ]
    for entry in feed.items:
        summary = texts.text(feed.language, f"entry.{entry.kind}", number=entry.number)
        lines += [
            "BEGIN:VEVENT",
            f"UID:{entry.uid}@peygir",
            f"DTSTAMP:{_moment(entry.stamp)}",
            *_when(entry),
            f"SUMMARY:{escaped(summary)}",
            "CLASS:PRIVATE",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(b"\r\n".join(folded(line)) + b"\r\n" for line in lines)


def _when(entry: CalendarEntry) -> Iterator[str]:
    """A whole day, which takes nobody's time, or from when until when."""
    if entry.on is not None:
        yield f"DTSTART;VALUE=DATE:{entry.on:%Y%m%d}"
        yield f"DTEND;VALUE=DATE:{entry.on + timedelta(days=1):%Y%m%d}"
        yield "TRANSP:TRANSPARENT"
    if entry.starts_at is not None and entry.ends_at is not None:
        yield f"DTSTART:{_moment(entry.starts_at)}"
        yield f"DTEND:{_moment(entry.ends_at)}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(text: str) -> str:
    """A TEXT value (RFC 5545, 3.3.11)."""
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\r\n", "\\n").replace("\n", "\\n")


def folded(line: str) -> Iterator[bytes]:
    """A line in parts of at most 75 octets, each but the first with a space before it; no letter is cut in two."""
    part = b""
    for letter in line:
        octets = letter.encode()
        if len(part) + len(octets) > _OCTETS:
            yield part
            part = b" "
        part += octets
    yield part
