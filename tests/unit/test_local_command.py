"""The commands behind ./peygir: each gets the addresses and keys of what runs here, and a wrong call says what is right."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from backbone.process import keys
from backbone.process.settings import load
from deploy.local import command
from services.intake.settings import Settings

ROOT = Path(__file__).parents[2]
INTAKE = "postgresql+psycopg://peygir:secret@127.0.0.1:5432/peygir_intake"

Call = Callable[..., dict[str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls `deploy.local.command WORDS` beside a run with this environment; what the module would have been given."""

    def call(*words: str, running: dict[str, str] | None, given: dict[str, str] | None = None) -> dict[str, str]:
        if running is not None:
            (tmp_path / "run.json").write_text(json.dumps({"environment": running}))
        seen: dict[str, str] = {}

        def run_module(module: str, **_: object) -> None:
            seen.update(os.environ, module=module, arguments=" ".join(sys.argv[1:]))

        with monkeypatch.context() as patched:
            patched.setattr(os, "environ", {"PEYGIR_STATE": str(tmp_path), **(given or {})})
            patched.setattr(sys, "argv", ["command", *words])
            patched.setattr(runpy, "run_module", run_module)
            command.main()
        return seen

    return call


def running() -> dict[str, str]:
    return {**keys.generate(), "AMQP_URL": "amqp://127.0.0.1/", "DATABASE_URL_INTAKE": INTAKE}


@pytest.mark.parametrize("given", [{}, {"DATABASE_URL": "postgresql://127.0.0.1/postgres"}], ids=["own", "yours"])
def test_rotating_keys_has_the_whole_environment_of_intake(
    call: Call, given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = call("services.intake.identities.keys", "rotate", running=running(), given=given)
    assert (seen["module"], seen["arguments"]) == ("services.intake.identities.keys", "rotate")
    for name, value in seen.items():
        monkeypatch.setenv(name, value)
    assert load(Settings).database_url.get_secret_value() == INTAKE


def test_the_environment_wins_over_the_local_parts(call: Call) -> None:
    given = {"IDENTITY_MASTER_KEYS": "k2:" + "b" * 64}
    seen = call("services.intake.identities.keys", "rotate", running=running(), given=given)
    assert seen["IDENTITY_MASTER_KEYS"] == given["IDENTITY_MASTER_KEYS"]


def test_other_commands_keep_their_given_database(call: Call) -> None:
    given = {"DATABASE_URL": "postgresql://127.0.0.1/postgres"}
    assert call("backbone.storage.migrate", running=running(), given=given)["DATABASE_URL"] == given["DATABASE_URL"]
    assert "DATABASE_URL" not in call("backbone.storage.migrate", running=running())


def test_a_rotation_without_a_running_system_is_reported(call: Call) -> None:
    with pytest.raises(SystemExit, match="nothing runs here"):
        call("services.intake.identities.keys", "rotate", running=None)


def peygir(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "peygir", *words], check=False, capture_output=True, text=True)


@pytest.mark.parametrize("words", [[], ["spin"], ["generate", "rotate"], ["rotate", "now"]])
def test_a_wrong_verb_of_keys_gives_the_usage_and_exit_code_2(words: list[str]) -> None:
    done = peygir("keys", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ./peygir keys generate | rotate\n")


def test_keys_lists_its_verbs_in_its_help() -> None:
    done = peygir("keys", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ./peygir keys generate | rotate\n")
