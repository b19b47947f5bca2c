"""The documents lead where they say, name files that exist, and are no longer than people read."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.processes import ROOT

FOLDERS = ("backbone", "benchmarks", "contracts", "deploy", "docs", "gateway", "services", "tests", "texts")
DOCUMENTS = sorted(
    str(file.relative_to(ROOT))
    for folder in (".", *(f"{name}/**" for name in FOLDERS))
    for file in ROOT.glob(f"{folder}/*.md")
)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_QUOTED = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")
_MODULE = re.compile(r"python3? -m ([a-z_]+(?:\.\w+)*)")
_COMMAND = re.compile(r"(?:\./|`)peygir ([a-z][a-z-]*)")
_TEST_FILE = re.compile(r"pytest ((?:tests/[\w/.*]+(?:::\S+)? ?)+)")
_SETTING = re.compile(r"`([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)`")
_SUFFIXES = (".py", ".html", ".toml", ".yml", ".md", ".sh", ".css", ".svg", ".typ")
WRITTEN_BY_ITS_READER = {
    "docs/deployment.md": {"docker-compose.override.yml"},
    "docs/how-to/add-a-figure.md": {"services/insight/figures/catalogue/objections.py"},
    "docs/how-to/add-a-page.md": {"gateway/pages/opening_days.py", "gateway/pages/templates/opening_days.html"},
    "docs/how-to/add-an-event.md": {"tests/contract/payloads/submission.discarded.v1/1.json"},
    "docs/how-to/add-an-sms-provider.md": {"services/notify/providers/melipayamak.py"},
}
"""Files that a document tells its reader to write."""
MOST_WORDS = 600
"""Of a service's README; details are in docs/."""
MOST_EXPLAINED = 1200
"""Words of a document that answers one question."""


def _text(document: str | Path) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


@cache
def _anchors(file: Path) -> frozenset[str]:
    """The anchors that GitHub gives the headings of a document."""
    headings = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(_FENCED.sub("", _text(file))))
    return frozenset(heading.strip().replace(" ", "-") for heading in headings)


@cache
def _files() -> tuple[str, ...]:
    """The path of every file and folder, with a slash before and behind it."""
    tops = [path for path in ROOT.iterdir() if path.name in FOLDERS or path.is_file()]
    paths = [path for top in tops for path in (top, *top.rglob("*")) if "__pycache__" not in path.parts]
    return tuple(f"/{path.relative_to(ROOT)}/" for path in paths)


def _names_a_file(name: str) -> bool:
    return bool(_PATH.fullmatch(name)) and (name.endswith(_SUFFIXES) or name.split("/")[0] in FOLDERS)


def _exists(name: str) -> bool:
    """A document names a file by its path or by the end of it; `*` stands for anything."""
    ending = re.compile("/" + re.escape(name.strip("/")).replace(r"\*", "[^/]*") + "/$")
    return any(ending.search(file) for file in _files())


@cache
def _peygir_commands() -> frozenset[str]:
    """The commands of `./peygir`, as its case statement has them."""
    return frozenset(re.findall(r"^  ([a-z-]+)\) ", _text("peygir"), re.MULTILINE))


@cache
def _sources() -> str:
    """The reference of settings, and what reads a name of the environment by itself."""
    kinds = ("*.py", "*.yml", "*.toml")
    paths = [path for folder in FOLDERS for kind in kinds for path in (ROOT / folder).rglob(kind)]
    named = (ROOT / name for name in ("docs/reference/settings.md", "docker-compose.yml", ".env.example", "peygir"))
    return "\n".join(path.read_text(encoding="utf-8") for path in (*paths, *named))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_of_a_document_leads_somewhere(document: str) -> None:
    file = ROOT / document
    links = [(path, anchor) for path, anchor in _LINK.findall(_text(document)) if "://" not in path]
    targets = [(file.parent / path if path else file, anchor) for path, anchor in links]
    assert [str(target) for target, _ in targets if not target.exists()] == []
    assert [
        f"{target}#{anchor}"
        for target, anchor in targets
        if anchor and target.suffix == ".md" and anchor not in _anchors(target)
    ] == []


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "CHANGELOG.md"])
def test_every_file_that_a_document_names_exists(document: str) -> None:
    quoted = _QUOTED.findall(_FENCED.sub("", _text(document)))
    names = {name for name in quoted if _names_a_file(name)} - WRITTEN_BY_ITS_READER.get(document, set())
    assert sorted(name for name in names if not _exists(name)) == []


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "CHANGELOG.md"])
def test_every_command_of_a_document_exists(document: str) -> None:
    text = _text(document)
    modules = {name.replace(".", "/") for name in _MODULE.findall(text) if name.split(".")[0] in FOLDERS}
    assert sorted(name for name in modules if not (_exists(f"{name}.py") or _exists(f"{name}/__main__.py"))) == []
    assert sorted(set(_COMMAND.findall(text)) - _peygir_commands()) == []
    tests = {path.split("::")[0] for paths in _TEST_FILE.findall(text) for path in paths.split()}
    assert sorted(path for path in tests if not _exists(path)) == []


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if not re.match("CHANGELOG|docs/adr/", name)])
def test_every_setting_that_a_document_names_exists(document: str) -> None:
    assert sorted(name for name in set(_SETTING.findall(_text(document))) if name not in _sources()) == []


@pytest.mark.parametrize("readme", sorted(ROOT.glob("services/*/README.md")), ids=lambda file: file.parent.name)
def test_the_readme_of_a_service_is_short(readme: Path) -> None:
    assert len(_text(readme).split()) <= MOST_WORDS


@pytest.mark.parametrize(
    "document", [name for name in DOCUMENTS if re.match(r"docs/(explanation/|architecture|tutorial)", name)]
)
def test_a_document_that_explains_is_short(document: str) -> None:
    assert len(_text(document).split()) <= MOST_EXPLAINED


def test_every_explanation_is_found_from_the_architecture() -> None:
    explanations = {path.name for path in (ROOT / "docs/explanation").glob("*.md")} - {"README.md"}
    assert explanations <= {Path(path).name for path, _ in _LINK.findall(_text("docs/architecture.md"))}
    assert explanations <= {Path(path).name for path, _ in _LINK.findall(_text("docs/explanation/README.md"))}


def test_the_readme_is_short() -> None:
    assert len(_text("README.md").splitlines()) <= 150
