"""docker-compose.yml and the Dockerfile keep the rules of this repository. Read through Compose itself, nothing is started."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.docker.env import REQUIRED, REQUIRED_SECRETS, generate, missing
from deploy.local import environment
from deploy.local.postgresql import QUIET_LOG

from .stack import ROOT, Stack, run

ONCE = {"preflight", "setup", "seed", "tools"}
"""Runs and exits: no health to ask for, no restart."""
BY_ROOT = {"rabbitmq", "postgres"}
"""Their images start as root to take their volume over, and then become the user of the program."""

OPTIONAL = {"KAVENEGAR_RESERVE_API_KEY"}
"""Secrets that an installation may do without."""

Services = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def config(engine: None) -> dict[str, Any]:
    """The whole of docker-compose.yml as Compose understands it on a machine without .env."""
    empty = "/dev/null"
    return dict(
        json.loads(run("docker", "compose", "--env-file", empty, "--profile", "*", "config", "--format", "json"))
    )


@pytest.fixture(scope="module")
def services(config: dict[str, Any]) -> Services:
    return dict(config["services"])


def test_only_the_gateway_publishes_a_port_and_only_locally_by_default(services: Services) -> None:
    published = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert set(published) == {"gateway"}
    [port] = published["gateway"]
    assert (port["host_ip"], port["published"], port["target"]) == ("127.0.0.1", "8000", 8000)
    assert all("network_mode" not in service for service in services.values())


def test_postgresql_logs_no_row_key_or_statement(services: Services) -> None:
    command = services["postgres"]["command"]
    assert {f"--{name}={value}" for name, value in QUIET_LOG.items()} <= set(command)


def test_only_gateway_and_notify_reach_the_outside(config: dict[str, Any], services: Services) -> None:
    assert config["networks"]["inside"]["internal"] is True
    outside = {name for name, service in services.items() if set(service["networks"]) != {"inside"}}
    assert outside == {"gateway", "notify"}


def test_the_documented_override_lets_media_reach_a_store_or_a_scanner_outside(engine: None, tmp_path: Path) -> None:
    override = tmp_path / "docker-compose.override.yml"
    section = (ROOT / "docs" / "deployment.md").read_text().split("## Past one machine", 1)[1]
    override.write_text(section.split("```yaml\n", 1)[1].split("```", 1)[0])
    files = ("-f", "docker-compose.yml", "-f", str(override))
    configuration = run("docker", "compose", "--env-file", "/dev/null", *files, "config", "--format", "json")
    services = json.loads(configuration)["services"]
    outside = {name for name, service in services.items() if "outside" in service["networks"]}
    assert outside == {"gateway", "notify", "media"}
    assert set(services["media"]["networks"]) == {"inside", "outside"}


def test_every_service_has_health_memory_limit_restart_and_grace(services: Services) -> None:
    for name, service in services.items():
        assert int(service["mem_limit"]) > 0, name
        assert service["stop_grace_period"], name
        if name in ONCE:
            assert service["restart"] == "no", name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_nothing_runs_as_root_with_capabilities_or_on_a_writable_root(services: Services) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert (service.get("user") == "10001:10001") != (name in BY_ROOT), name
        assert bool(service.get("cap_add")) == (name in BY_ROOT), name


def test_services_can_be_scaled(services: Services) -> None:
    assert all("container_name" not in service for service in services.values())


def test_every_base_image_is_fully_named_and_pinned(services: Services) -> None:
    named = [service["image"] for service in services.values() if "build" not in service]
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    stages = set(re.findall(r"(?m)^FROM \S+ AS (\S+)$", dockerfile))
    named += [name for name in re.findall(r"(?m)^FROM (\S+)", dockerfile) if name not in stages]
    assert len(named) >= 4
    for name in named:
        assert re.fullmatch(
            r"[a-z.]+\.(io|com)/\S+:(\d+\.\d+\.\d+|\d+\.\d+-|v\d+\.\d+\.\d+|RELEASE\.\d{4}-)\S*", name
        ), name


def test_a_process_is_given_only_the_secrets_that_are_its_own(services: Services) -> None:
    local = {**environment.SECRETS_OF, "sms-simulator": environment.SECRETS_OF["simulator"]}
    secrets = {name for names in environment.SECRETS_OF.values() for name in names if name.isupper()}
    for name in (*environment.SERVICES, "gateway", "sms-simulator"):
        given = set(services[name]["environment"]) & secrets
        assert given == set(local[name]), f"{name}: not what the run without containers gives it"
    private = {
        "INTAKE_PRIVATE_KEYS",
        "IDENTITY_MASTER_KEYS",
        "NOTIFY_PRIVATE_KEYS",
        "VAPID_PRIVATE_KEYS",
        "ACCESS_TOKEN_PRIVATE_KEY",
    }
    private |= {"RECEIPT_PRIVATE_KEY", "POSTGRES_PASSWORD"}
    for secret in private:
        holders = {name for name, service in services.items() if secret in service.get("environment", {})}
        assert len(holders - ONCE) == 1, f"{secret} is held by {holders}"
    assert "DATABASE_URL" not in services["gateway"]["environment"]


def test_compose_reads_what_the_example_explains_and_make_env_writes() -> None:
    read = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    explained = set(re.findall(r"(?m)^(\w+)=", (ROOT / ".env.example").read_text()))
    written = dict(re.findall(r"(?m)^(\w+)=(.+)$", generate()))
    assert read == explained - {"COMPOSE_PROFILES"}
    secrets = {name for name in explained if name.endswith(("_PASSWORD", "_KEY", "_KEYS", "_SECRET__KAVENEGAR"))}
    assert secrets - OPTIONAL <= set(written) <= explained
    assert missing(written) == []
    assert len({written[name] for name in REQUIRED_SECRETS}) == len(REQUIRED_SECRETS), "no two passwords are the same"
    another = generate()
    assert not any(written[name] in another for name in REQUIRED_SECRETS), "no two installations share a password"


def test_one_missing_password_is_named() -> None:
    assert missing({"POSTGRES_PASSWORD": ""} | dict.fromkeys(REQUIRED[1:], "x")) == ["POSTGRES_PASSWORD"]


def test_a_start_without_the_public_address_is_refused_naming_it() -> None:
    assert missing(dict.fromkeys(REQUIRED, "x") | {"PUBLIC_URL": ""}) == ["PUBLIC_URL"]


def test_a_start_without_env_explains_in_one_sentence_what_to_do(env_file: Path) -> None:
    nothing = Stack(Path("/dev/null"))
    try:
        with pytest.raises(AssertionError, match="exit 1") as refusal:
            nothing.compose("up", "preflight", "--exit-code-from", "preflight")
        assert "There is no .env. `deploy/docker/make-env` writes a new one" in str(refusal.value)
    finally:
        nothing.down("--volumes")


def test_make_env_writes_once_and_readable_only_by_its_owner(env_file: Path) -> None:
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    before = env_file.read_text()
    again = subprocess.run(
        [ROOT / "deploy" / "docker" / "make-env", env_file], check=False, capture_output=True, text=True
    )
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert env_file.read_text() == before
