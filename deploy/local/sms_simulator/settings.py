"""What the simulator reads from its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """`state`: SQLite file, or None for memory. Delays and waits in seconds, money in rial."""

    api_key: str
    sender: str
    host: str = "127.0.0.1"
    port: int = 8010
    state: Path | None = None
    delivery_url: str | None = None
    inbound_url: str | None = None
    step_delay: float = 0.2
    hook_waits: tuple[float, ...] = (0.2, 0.5, 1, 2, 4, 8, 15, 30)
    credit: int = 100_000_000
    cost_per_part: int = 1_200
    templates: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Raises SystemExit with every problem at once."""
        env = os.environ if environ is None else environ
        problems = [f"{name} is missing" for name in ("SIMULATOR_API_KEY", "SMS_SENDER") if not env.get(name)]
        try:
            port = int(env.get("SIMULATOR_PORT", "8010"))
        except ValueError:
            problems.append("SIMULATOR_PORT is not a number")
            port = 0
        try:
            step_delay = float(env.get("SIMULATOR_STEP_DELAY", "0.2"))
        except ValueError:
            problems.append("SIMULATOR_STEP_DELAY is not a number of seconds")
            step_delay = 0.0
        if problems:
            raise SystemExit("sms simulator: " + "; ".join(problems))
        state = env.get("SIMULATOR_STATE")
        return cls(
            api_key=env["SIMULATOR_API_KEY"],
            sender=env["SMS_SENDER"],
            host=env.get("SIMULATOR_HOST", "127.0.0.1"),
            port=port,
            state=Path(state) if state else None,
            delivery_url=env.get("SMS_WEBHOOK_URL_DELIVERY") or None,
            inbound_url=env.get("SMS_WEBHOOK_URL_INBOUND") or None,
            step_delay=step_delay,
            templates=approved_templates(),
        )


def approved_templates() -> dict[str, str]:
    """The texts that notify sends by verify/lookup, as if the provider's panel had approved them.

    Empty where notify's files are not installed (an image of the simulator alone); the control API can add them.
    """
    try:
        from services.notify.wording.templates import approved_texts
    except ImportError:
        return {}
    return approved_texts()
