"""`./peygir demo` (python -m deploy.demo): plays a complaint from end to end over HTTP."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from deploy.demo.api_client import read_credentials
from deploy.demo.console import Console, DemoFailed
from deploy.demo.scenario import Scenario


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every step succeeded; 1 with one sentence about the step that failed."""
    parser = argparse.ArgumentParser(
        prog="./peygir demo", description="Play a complaint from end to end, step by step."
    )
    parser.add_argument(
        "--url", default=os.environ.get("PEYGIR_GATEWAY_URL", "http://127.0.0.1:8000"), help="the gateway"
    )
    parser.add_argument(
        "--simulator",
        default=os.environ.get("PEYGIR_SIMULATOR_URL", "http://127.0.0.1:8010"),
        help="the SMS provider simulator",
    )
    parser.add_argument(
        "--credentials",
        type=Path,
        default=Path(os.environ.get("PEYGIR_CREDENTIALS", ".peygir/credentials.json")),
        help="the file that `./peygir seed --credentials FILE` wrote",
    )
    options = parser.parse_args(arguments)
    console, began = Console(), time.monotonic()
    try:
        staff = read_credentials(options.credentials)
        with (
            httpx.Client(base_url=options.url, timeout=30, trust_env=False) as gateway,
            httpx.Client(base_url=options.simulator, timeout=30, trust_env=False) as simulator,
        ):
            _reach(gateway, "/readyz", "Peygir")
            _reach(simulator, "/readyz", "the SMS simulator")
            Scenario(gateway, simulator, staff, console).play()
    except DemoFailed as failure:
        print(f"\npeygir: {failure}", file=sys.stderr)
        return 1
    except (httpx.HTTPError, KeyError, LookupError, StopIteration) as error:
        print(f"\npeygir: step {console.steps} got an answer it does not understand: {error!r}", file=sys.stderr)
        return 1
    print(f"\nAll {console.steps} steps went as they should, in {time.monotonic() - began:.0f} s.")
    return 0


def _reach(client: httpx.Client, path: str, name: str) -> None:
    try:
        answer = client.get(path)
    except httpx.HTTPError:
        raise DemoFailed(f"{name} does not answer at {client.base_url}: start it with `./peygir up`") from None
    if answer.status_code != 200:
        raise DemoFailed(f"{name} at {client.base_url} is not ready: {answer.text.strip()[:200]}")


if __name__ == "__main__":
    sys.exit(main())
