"""docs/api.md: its commands run as they stand, and its TypeScript compiles strictly against the document."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.people import ONE_TIME_CODE, Town
from tests.e2e.test_clients import CLIENTS, install_node_packages, run, set_stage
from tests.support import media_samples as samples
from tests.support.push_service import KEYS_OF_NO_BROWSER

GUIDE = Path(__file__).parents[2] / "docs" / "api.md"
TOOLS = ("curl", "jq")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"the guide's examples need {', '.join(TOOLS)}")
def test_the_commands_of_the_guide_run_as_they_stand(town: Town, tmp_path: Path) -> None:
    phone = town.phone()
    (tmp_path / "photo.jpg").write_bytes(samples.photo())
    (tmp_path / "subscription.json").write_text(
        json.dumps({"endpoint": "https://127.0.0.3:9/of-this-guide", "keys": KEYS_OF_NO_BROWSER})
    )
    asking, *rest = (at for at, block in enumerate(blocks("sh")) if "$ONE_TIME_CODE" in block)
    assert not rest
    commands = blocks("sh")
    environment = {**os.environ, "PEYGIR": town.system.gateway_url, "MOBILE": phone.mobile, "HOME": str(tmp_path)}

    def play(script: str, **more: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env={**environment, **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    play("".join(commands[:asking]))
    code = ONE_TIME_CODE.search(phone.next())
    assert code is not None
    printed = play(commands[0] + "".join(commands[asking:]) + 'printf "\\n%s" "$CODE"\n', ONE_TIME_CODE=code.group())
    tracking_code = printed.rpartition("\n")[2]
    town.codes.add(tracking_code.replace(" ", ""))
    [attachment] = town.caller(code=tracking_code.replace(" ", "")).get("/v1/tracking").json()["attachments"]
    assert attachment["file_name"] == "photo.jpg"


@pytest.mark.timeout(600)
def test_the_typescript_of_the_guide_compiles_strictly(town: Town, tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json", "tsconfig.json"):
        shutil.copy(CLIENTS / "typescript" / name, tmp_path)
    set_stage(town, tmp_path)
    functions = "".join(blocks("ts"))
    uses = re.findall(r"^async function (\w+)", functions, re.MULTILINE)
    (tmp_path / "guide.ts").write_text(f"{functions}\nexport {{ {', '.join(uses)} }};\n")
    project = (tmp_path / "tsconfig.json").read_text()
    (tmp_path / "tsconfig.json").write_text(re.sub(r'"files": .*', '"files": ["schema.ts", "guide.ts"]', project))
    node_path = install_node_packages(tmp_path)
    for script in ("types", "compile"):
        run("npm", "run", script, folder=tmp_path, PATH=node_path)
