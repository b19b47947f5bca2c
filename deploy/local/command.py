"""Runs one of our commands with the addresses and keys of what runs here: `… deploy.local.command MODULE`.

What the environment already gives wins; with AMQP_URL and DATABASE_URL set, nothing needs to run here.
"""

import json
import os
import runpy
import sys

from deploy.local.environment import state_folder

_OWN_DATABASE = {"services.intake.identities.keys": "DATABASE_URL_INTAKE"}
"""Commands that read the settings of one service, which finds its database under DATABASE_URL."""


def main() -> None:
    """Become the module that the first argument names."""
    module, *arguments = sys.argv[1:]
    try:
        run = json.loads((state_folder() / "run.json").read_text())
    except (OSError, ValueError):
        run = {"environment": {}}
    for name, value in run["environment"].items():
        os.environ.setdefault(name, value)
    if database := os.environ.get(_OWN_DATABASE.get(module, "")):
        os.environ["DATABASE_URL"] = database
    sys.argv = [module, *arguments]
    wants_help = any(word in ("-h", "--help", "help") for word in arguments)
    if not run["environment"] and not wants_help and not _has_own_parts():
        sys.exit("peygir: nothing runs here: start ./peygir up elsewhere, or set AMQP_URL and DATABASE_URL.")
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _has_own_parts() -> bool:
    return bool(os.environ.get("AMQP_URL") or os.environ.get("DATABASE_URL"))


if __name__ == "__main__":
    main()
