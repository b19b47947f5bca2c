"""The body of a device."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from contracts.push import AuthSecret, Endpoint, PublicKey
from gateway.api.fields import Body, example, whole

_MOST_MILLISECONDS = 4_102_444_800_000  # the year 2100


def _base64url(given: object) -> object:
    """Some libraries write the padding."""
    return given.rstrip("=") if isinstance(given, str) else given


class DeviceKeys(Body):
    """Of the browser's subscription. `p256dh`: its public key; `auth`: its secret."""

    p256dh: Annotated[PublicKey, BeforeValidator(_base64url)]
    auth: Annotated[AuthSecret, BeforeValidator(_base64url)]

    model_config = example(
        p256dh="BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        auth="BTBZMqHH6r4Tts7J_aSIgg",
    )


class DeviceBody(Body):
    """A `PushSubscription` as JavaScript's `toJSON()` gives it. `expirationTime`: milliseconds since 1970."""

    endpoint: Endpoint
    keys: DeviceKeys
    expirationTime: Annotated[int, Field(ge=0, le=_MOST_MILLISECONDS), BeforeValidator(whole)] | None = None  # noqa: N815

    model_config = example(
        endpoint="https://updates.push.services.mozilla.com/wpush/v2/gAAAAABnQ",
        expirationTime=None,
        keys={
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    )
