"""How long what people write may be, in characters: for the API, the pages, the services and whoever draws a form
(GET /v1/office)."""

from __future__ import annotations

LONGEST_TEXT = 10_000
"""What happened, messages, answers, decisions."""
LONGEST_SHORT_TEXT = 1_000
SHORTEST_CLAIM, CLAIM_SEEN = 10, 5
"""The shortest text of what happened: characters in all, and visible ones among them."""
LONGEST_ANSWER = 2_000
"""Of a question of a ground."""
SHORTEST_NAME, LONGEST_NAME = 2, 100
LONGEST_ADDRESS = 500
LONGEST_REFERENCE = 100
"""A file or letter number."""
MOST_PEOPLE = 10
"""Names of the staff concerned."""
MOST_NAMED_MEMBERS = 100
"""Of a group that complains together, beside who represents it."""
ONE_TIME_CODE_DIGITS = 6
