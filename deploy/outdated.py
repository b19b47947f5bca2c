"""`./peygir outdated`: which pinned images have a newer patch release, or belong to a series that is no longer maintained.

What is newest is asked of endoflife.date (its API v1, one product a request), or read from files of the same form:

    ./peygir outdated                              # asks https://endoflife.date
    ./peygir outdated --releases FOLDER            # reads FOLDER/postgresql.json and so on, where no network is

Exit code 0: nothing is behind; 1: something is; 2: something could not be looked up.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.local.environment import ROOT

SOURCE = "https://endoflife.date"
FILES = ("docker-compose.yml", "deploy/docker/Dockerfile")
_PINNED = re.compile(r"^\s*(?:image:|FROM)\s+((?:docker\.io|quay\.io)/\S+?):(\S+)", re.MULTILINE)
_VERSION = re.compile(r"v?(\d+(?:\.\d+)+)")

PRODUCTS = {
    "docker.io/library/postgres": ("postgresql", 1),
    "docker.io/library/python": ("python", 2),
    "docker.io/library/rabbitmq": ("rabbitmq", 2),
    "docker.io/prom/prometheus": ("prometheus", 2),
}
"""Image → its product's name at the source, and how many numbers of a version name its series."""
FINAL = {"quay.io/minio/minio": "no newer image is published; build newer releases from source (docs/pinned-images.md)"}

Lookup = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class Pin:
    """An image as one of the project's files names it."""

    image: str
    tag: str

    @property
    def version(self) -> str:
        """The numbers in its tag, such as 17.12 of 17.12-bookworm."""
        match = _VERSION.match(self.tag)
        return match.group(1) if match else self.tag


@dataclass(frozen=True)
class Verdict:
    """`behind` None: it could not be looked up."""

    pin: Pin
    behind: bool | None
    text: str


def pins(root: Path = ROOT) -> list[Pin]:
    """Every third-party image that docker-compose.yml and the Dockerfile name, once each."""
    matches = (match for name in FILES for match in _PINNED.findall((root / name).read_text()))
    return [Pin(image, tag) for image, tag in dict.fromkeys(matches)]


def judge(pin: Pin, lookup: Lookup) -> Verdict:
    """The verdict on one image."""
    if pin.image in FINAL:
        return Verdict(pin, False, FINAL[pin.image])
    if pin.image not in PRODUCTS:
        return Verdict(pin, None, "it is unknown where its releases are listed: add it to PRODUCTS")
    product, numbers = PRODUCTS[pin.image]
    series = ".".join(pin.version.split(".")[:numbers])
    try:
        releases = lookup(product)["result"]["releases"]
        release = next(listed for listed in releases if listed["name"] == series)
        latest, ended = str(release["latest"]["name"]), bool(release["isEol"])
    except StopIteration:
        return Verdict(pin, None, f"series {series} is not listed")
    except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
        return Verdict(pin, None, f"could not be looked up ({type(error).__name__})")
    words = []
    if _numbers(latest) > _numbers(pin.version):
        words.append(f"{latest} is out")
    if ended:
        words.append(f"series {series} is no longer maintained")
    return Verdict(pin, bool(words), "; ".join(words) or "the newest of its series")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _from_folder(folder: Path) -> Lookup:
    return lambda product: dict(json.loads((folder / f"{product}.json").read_text()))


def _from_source(address: str) -> Lookup:
    def lookup(product: str) -> dict[str, Any]:
        answer = httpx.get(f"{address}/api/v1/products/{product}/", timeout=10, follow_redirects=True)
        return dict(answer.raise_for_status().json())

    return lookup


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="./peygir outdated", description="Tell which pinned images are behind.")
    parser.add_argument("--releases", metavar="FOLDER|URL", default=SOURCE, help=f"where to look (default: {SOURCE})")
    options = parser.parse_args(arguments)
    is_url = options.releases.startswith(("http://", "https://"))
    lookup = _from_source(options.releases.rstrip("/")) if is_url else _from_folder(Path(options.releases))
    verdicts = [judge(pin, lookup) for pin in pins()]
    for verdict in verdicts:
        mark = {True: "behind", False: "ok", None: "unknown"}[verdict.behind]
        print(f"{mark:8} {verdict.pin.image}:{verdict.pin.tag}  {verdict.text}")
    if any(verdict.behind for verdict in verdicts):
        return 1
    return 2 if any(verdict.behind is None for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
