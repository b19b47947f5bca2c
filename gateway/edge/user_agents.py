"""The family of a browser and its system, in a few words of our own: enough to tell one's phone from one's desk, and nothing
of what else a User-Agent says."""

from __future__ import annotations

# In this order: most of them name others, too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_LONGEST = 1_000


def agent_of(user_agent: str) -> str | None:
    """Such as "Firefox, Android"; None for what is not recognised."""
    text = user_agent[:_LONGEST]
    browser = next((name for mark, name in _BROWSERS if mark in text), None)
    system = next((name for mark, name in _SYSTEMS if mark in text), None)
    return ", ".join(filter(None, (browser, system))) or None
