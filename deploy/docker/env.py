"""The .env of docker-compose.yml: made once (`generate`), checked before every start (`check`).

`generate` prints KEY=value lines: the servers' passwords, made here, and the application's keys, by backbone.process.keys.
`check` reads the environment of its container and exits 1 with one sentence when a password is missing.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping

from backbone.messaging.topology import SERVICES

PASSWORDS = (
    "POSTGRES_PASSWORD",
    "RABBITMQ_ADMIN_PASSWORD",
    *(f"{name.upper()}_DATABASE_PASSWORD" for name in SERVICES),
    *(f"{name.upper()}_AMQP_PASSWORD" for name in (*SERVICES, "gateway")),
)
"""Every password of PostgreSQL and RabbitMQ, under its name in .env."""

REQUIRED_SECRETS = (*PASSWORDS, "S3_ACCESS_KEY", "S3_SECRET_KEY")
"""The secrets that `check` asks for: without these a server would start open to everybody. The services check their own keys."""

REQUIRED = (*REQUIRED_SECRETS, "PUBLIC_URL")
"""All that `check` requires: without PUBLIC_URL the gateway does not start."""

HEAD = """\
# Peygir, docker compose. Secret: keep it readable by its owner alone, and a copy of it away from this machine.
# demo = sample units, demo staff and a simulated SMS provider. Leave it empty in production, and put the
# real provider's address, key and sender below.
COMPOSE_PROFILES=demo
GATEWAY_BIND=127.0.0.1
GATEWAY_PORT=8000
# How citizens reach the gateway: it is on letters and receipts. In production: https:// and your host.
PUBLIC_URL=http://127.0.0.1:8000
KAVENEGAR_BASE_URL=http://sms-simulator:8010
SMS_SENDER=10008663
# Hours without SMS, in Tehran; off suits the demo, whose phones are simulated. In production: 22-7.
NOTIFY_QUIET_HOURS=off
"""


def generate() -> str:
    """The text of a complete .env with fresh secrets."""
    keys = subprocess.run(
        [sys.executable, "-m", "backbone.process.keys", "generate"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    passwords = "".join(f"{name}={secrets.token_hex(24)}\n" for name in (*PASSWORDS, "KAVENEGAR_API_KEY"))
    return (
        f"{HEAD}\n# Passwords of the servers (24 random bytes each).\n{passwords}\n# Keys of the application.\n{keys}"
    )


def missing(environment: Mapping[str, str]) -> list[str]:
    """Names of what is required and absent or empty."""
    return [name for name in REQUIRED if not environment.get(name)]


def main(arguments: list[str]) -> int:
    """Run `generate` or `check`; 0 = done, 1 = something is missing, 2 = not understood."""
    match arguments:
        case ["generate"]:
            print(generate(), end="")
            return 0
        case ["check"]:
            names = missing(os.environ)
            if names:
                lacking = (
                    "There is no .env"
                    if set(REQUIRED_SECRETS) <= set(names)
                    else f"Not set in .env: {', '.join(names)}"
                )
                print(
                    f"{lacking}. `deploy/docker/make-env` writes a new one; .env.example explains it.",
                    file=sys.stderr,
                )
            return 1 if names else 0
        case _:
            print("usage: python -m deploy.docker.env generate|check", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
