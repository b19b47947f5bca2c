"""Bodies about messages."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from gateway.api.fields import Body, example


class ReadBody(Body):
    ids: Annotated[list[UUID], Field(max_length=100)]
    model_config = example(ids=["5b0a54f0-1f3e-4d0c-9a53-0d2f6a0b7d11"])
