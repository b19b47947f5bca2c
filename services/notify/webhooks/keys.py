"""The keys of a subscription, kept sealed to notify's own key."""

from __future__ import annotations

import secrets as random

from pydantic import BaseModel, SecretStr, field_serializer

from backbone import sealing
from backbone.process.settings import secrets
from services.notify.settings import Settings
from services.notify.webhooks import rules


class SubscriptionKeys(BaseModel):
    """`secret`, `old_secret`: as the partner has them; `reference`: the key of its case references, in hex, which no rotation
    changes."""

    secret: SecretStr
    old_secret: SecretStr | None = None
    reference: SecretStr

    @field_serializer("secret", "old_secret", "reference")
    def _revealed(self, value: SecretStr | None) -> str | None:
        """As it is sealed: nothing else writes these keys out."""
        return None if value is None else value.get_secret_value()

    @classmethod
    def new(cls) -> SubscriptionKeys:
        """Random ones."""
        reference = random.token_hex(rules.SECRET_BYTES)
        return cls(secret=SecretStr(_new_secret()), reference=SecretStr(reference))

    def rotated(self) -> SubscriptionKeys:
        """With another secret beside the one until now."""
        return self.model_copy(update={"secret": SecretStr(_new_secret()), "old_secret": self.secret})


class KeyStore:
    """Seals and opens keys."""

    def __init__(self, settings: Settings) -> None:
        self._private_keys = secrets(settings.notify_private_keys)

    def seal(self, keys: SubscriptionKeys) -> str:
        """For the database."""
        return sealing.seal(keys, sealing.public_key(self._private_keys[0]))

    def rotated(self, sealed: str) -> SubscriptionKeys:
        """Keys with another secret; all of them new when the earlier ones cannot be opened any more."""
        try:
            return self.open(sealed).rotated()
        except sealing.CannotOpen:
            return SubscriptionKeys.new()

    def open(self, sealed: str) -> SubscriptionKeys:
        """What was sealed; CannotOpen when the key is not held any more."""
        return sealing.unseal(sealed, SubscriptionKeys, self._private_keys)


def _new_secret() -> str:
    return rules.secret_text(random.token_bytes(rules.SECRET_BYTES))
