"""The sample catalogue and the demo staff, one account for each role: `python -m deploy.seed [--credentials FILE]`.

Each part is seeded by its own service's command. The credentials go to FILE (or PEYGIR_CREDENTIALS), readable by its owner
alone, from where the demo takes them. Run again it changes nothing.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or the exit code of the part that failed."""
    parser = argparse.ArgumentParser(
        prog="./peygir seed", description="Put in the sample catalogue and the demo staff."
    )
    parser.add_argument("--credentials", type=Path, metavar="FILE", default=os.environ.get("PEYGIR_CREDENTIALS"))
    file = parser.parse_args(arguments).credentials
    accounts = ["services.accounts.seed", *(["--credentials", str(file)] if file else [])]
    for command in (["services.intake.catalogue.seed"], accounts):
        done = subprocess.run([sys.executable, "-m", *command], check=False)
        if done.returncode != 0:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
