"""What is kept of a device: its address at the push service, and its keys, sealed to notify's own key."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from backbone import sealing
from backbone.process.settings import secrets
from services.notify.settings import Settings


class DeviceAddress(BaseModel):
    """As the browser gave it, binary values in base64url. Whoever has it can tell that two people use one device."""

    model_config = ConfigDict(hide_input_in_errors=True)

    endpoint: str
    p256dh: str
    auth: str

    def __repr__(self) -> str:
        return "DeviceAddress(…)"


class DeviceSeal:
    """Seals and opens addresses."""

    def __init__(self, settings: Settings) -> None:
        self._private_keys = secrets(settings.notify_private_keys)

    def seal(self, address: DeviceAddress) -> str:
        """For the database."""
        return sealing.seal(address, sealing.public_key(self._private_keys[0]))

    def open(self, sealed: str) -> DeviceAddress:
        """What was sealed; CannotOpen when the key is not held any more."""
        return sealing.unseal(sealed, DeviceAddress, self._private_keys)
