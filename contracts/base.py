"""What every message is made of.

A `Request` is strict: a field nobody declared is an error of the caller. An `Event` and a `Command` are tolerant:
a field added by a newer producer is ignored, so old consumers go on. Anything but a new optional field is a new
version with a new name.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

Sequence = Annotated[int, Field(ge=0)]
UnitCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
GroundCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,49}$")]
ListCode = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="of a list that the administrator keeps")
]
KeyedHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="HMAC-SHA256, hex")]
Sealed = Annotated[str, Field(max_length=4096, description="X25519 sealed box, base64; only its owner can open it")]
Moment = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
UploadId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22,64}$")]


class Contract(BaseModel):
    """A value that travels: immutable, strict about unknown fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=False, json_schema_serialization_defaults_required=True
    )


class Request(Contract):
    """What a caller asks of a service by RPC."""


class PageRequest(Request):
    """Of a list by pages. `after`: `next` of the page before."""

    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class LongPageRequest(Request):
    """Of a list whose first answer has always been long. `after`: `next` of the page before."""

    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 500


class HistoryRequest(Request):
    """Of a history by pages, the newest first. `after`: `next` of the page before."""

    after: int | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class Answer(Contract):
    """What a service answers; read tolerantly, since services are rolled out one by one."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Command(Contract):
    """A message to one service's queue that asks for an effect. `name` is its routing key."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    name: ClassVar[str]


class Event(Contract):
    """Something that has happened. `name` is its routing key on the producer's exchange.

    `id` makes its effect happen once (inbox); `occurred_at` is when the producer decided it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    name: ClassVar[str]
    producer: ClassVar[str]

    id: UUID
    occurred_at: Moment


class CaseEvent(Event):
    """An event of one case. `sequence` grows by one with each event of that case, so consumers can tell old from new."""

    case_id: UUID
    sequence: Sequence


def now() -> datetime:
    """The present in UTC; the one place that asks the clock, so that tests can see where time comes from."""
    return datetime.now(UTC)


LEFT_OUT: Any = Field(default=None, exclude_if=lambda value: value is None)
"""Of a field that an answer has in some cases alone."""
