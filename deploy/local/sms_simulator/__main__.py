"""`python -m deploy.local.sms_simulator`: serves until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging

import uvicorn

from .app import make_app
from .settings import Settings


def main() -> None:
    settings = Settings.from_environment()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s sms_simulator %(levelname)s %(message)s")
    # The key is in the provider's paths and the secret in the webhook's: neither belongs in a log.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    uvicorn.run(
        make_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
