"""Peygir as `docker compose up` starts it: it plays the main job, scales, and loses nothing when its parts die."""

from __future__ import annotations

import json
import re
from uuid import uuid4

import pyotp
import pytest

from backbone.messaging import topology
from tests.support.processes import eventually

from .stack import Stack, run

pytestmark = pytest.mark.timeout(900)  # the first one builds the images and brings everything up

SERVICES = ("intake", "media", "tracking", "notify", "accounts", "insight")


def test_everything_is_healthy_and_nothing_but_the_gateway_can_be_reached(stack: Stack) -> None:
    running = json.loads("[" + ",".join(stack.compose("ps", "--format", "json").splitlines()) + "]")
    assert {container["Service"]: container["Health"] for container in running} == dict.fromkeys(
        (*SERVICES, "gateway", "rabbitmq", "postgres", "minio", "sms-simulator"), "healthy"
    )
    published = {
        container["Service"] for container in running for port in container["Publishers"] or [] if port["PublishedPort"]
    }
    assert published == {"gateway"}
    assert stack.get("/readyz").status_code == 200


@pytest.mark.parametrize("service", [*SERVICES, "gateway", "sms-simulator"])
def test_a_process_is_not_root_and_cannot_change_its_own_code(stack: Stack, service: str) -> None:
    seen = stack.python(
        service,
        "import os; print(os.getuid(), [line.split()[1] for line in open('/proc/1/status') if line[:4] == 'CapE'])\n"
        "try: open('/app/mark', 'w')\nexcept OSError as error: print(error.strerror)",
    )
    assert seen.splitlines() == ["10001 ['0000000000000000']", "Read-only file system"]


@pytest.mark.parametrize(("service", "program"), [("rabbitmq", "beam.smp"), ("postgres", "postgres"), ("minio", "")])
def test_the_programs_of_the_parts_are_not_root(stack: Stack, service: str, program: str) -> None:
    [container] = stack.containers(service)
    table = run("docker", "top", container["Id"], "-eo", "uid,pid,comm").splitlines()[1:]
    users = {uid for uid, _, command in (line.split(None, 2) for line in table) if program in command}
    assert users
    assert "0" not in users


def test_an_image_holds_one_service_and_its_environment_no_installer(stack: Stack) -> None:
    for service in SERVICES:
        output = stack.python(
            service, "import os, importlib.util as u; print(sorted(os.listdir('services')), u.find_spec('pip'))"
        )
        rooms = [name for name in json.loads(output.split("]")[0].replace("'", '"') + "]") if not name.startswith("__")]
        assert rooms == [service]
        assert output.strip().endswith("None")


def test_a_service_can_touch_neither_the_queues_nor_the_data_of_another(stack: Stack) -> None:
    refused = stack.python(
        "notify",
        "import os, pika, psycopg\n"
        "channel = pika.BlockingConnection(pika.URLParameters(os.environ['AMQP_URL'])).channel()\n"
        "try: channel.basic_get('intake.submissions')\n"
        "except pika.exceptions.ChannelClosedByBroker as error: print(error.reply_code)\n"
        "url = os.environ['DATABASE_URL'].replace('+psycopg', '').replace('peygir_notify', 'peygir_intake')\n"
        "try: psycopg.connect(url)\n"
        "except psycopg.OperationalError as error: print('permission denied' in str(error))",
    )
    assert refused.split() == ["403", "True"]


def test_the_broker_reports_the_depth_of_each_queue_to_prometheus(stack: Stack) -> None:
    metrics = stack.python(
        "gateway",
        "from http.client import HTTPConnection as Connection\n"
        "connection = Connection('rabbitmq', 15692, timeout=10)\n"
        "connection.request('GET', '/metrics/detailed?vhost=peygir&family=queue_coarse_metrics')\n"
        "print(connection.getresponse().read().decode())",
    )
    named = set(re.findall(r'(?m)^rabbitmq_detailed_queue_messages\{.*queue="([^"]+)"', metrics))
    assert {*topology.SUBSCRIPTIONS, *topology.DELAYS, topology.DEAD_LETTERS} <= named


def test_the_demo_plays_the_main_job(stack: Stack) -> None:
    story = stack.compose("run", "--rm", "-T", "tools", "python", "-m", "deploy.demo", seconds=300)
    assert "steps went as they should" in story


def test_a_member_of_staff_entered_by_the_documented_command_signs_in(stack: Stack) -> None:
    command = ("exec", "-T", "accounts", "python", "-m", "services.accounts.staff_cli")
    name = f"inspector-{uuid4().hex[:6]}"
    output = stack.compose(*command, "add", name, "--name", "بازرس سه", "--role", "inspector", "--unit", "mayor.insp")
    printed = re.search(r"password +(\S+)\n +authenticator +(\S+)", output)
    assert printed, output
    totp = pyotp.parse_uri(printed[2])
    assert isinstance(totp, pyotp.TOTP)
    signed_in = stack.post("/v1/auth/staff/tokens", {"username": name, "password": printed[1], "totp": totp.now()})
    assert signed_in.status_code == 200, signed_in.text
    assert "done" in stack.compose(*command, "close", name)


def test_three_tracking_and_two_intake_work_side_by_side(stack: Stack) -> None:
    stack.up("--no-recreate", "--scale", "tracking=3", "--scale", "intake=2")
    assert stack.healthy("tracking", replicas=3)
    assert stack.healthy("intake", replicas=2)
    codes = [stack.file(f"Filed while scaled, number {number}") for number in range(20)]
    stack.await_cases(codes)
    stack.up("--no-recreate", "--scale", "tracking=1", "--scale", "intake=1")


@pytest.mark.parametrize("service", ["intake", "tracking", "gateway"])
def test_a_killed_process_comes_back_and_nothing_is_lost(stack: Stack, service: str) -> None:
    before = stack.file(f"Filed before {service} was killed")
    [container] = stack.containers(service)
    stack.kill(service)
    eventually(lambda: stack.containers(service)[0]["RestartCount"] > container["RestartCount"], timeout=180)
    eventually(lambda: stack.healthy(service), timeout=180)
    after = eventually(lambda: stack.file(f"Filed after {service} was killed"), timeout=180)
    stack.await_cases([before, after])


@pytest.mark.parametrize("part", ["rabbitmq", "postgres"])
def test_a_part_restarts_and_nothing_is_lost(stack: Stack, part: str) -> None:
    before = [stack.file(f"Filed just before {part} restarted, number {number}") for number in range(10)]
    stack.compose("restart", part)
    after = eventually(lambda: stack.file(f"Filed after {part} restarted"), timeout=180)
    stack.await_cases([*before, after])
    eventually(lambda: all(stack.healthy(service) for service in (*SERVICES, "gateway")), timeout=180)


def test_down_and_up_again_keeps_the_data(stack: Stack) -> None:
    code = stack.file("Filed before everything was stopped")
    stack.await_cases([code])
    stack.down()
    assert stack.compose("ps", "--all", "--quiet") == ""
    stack.up()
    assert stack.stage(code) not in ("", "registering")


def test_no_dead_letters_remain_at_the_end(stack: Stack) -> None:
    listed = stack.compose("run", "--rm", "-T", "tools", "python", "-m", "backbone.messaging.dead_letters", "list")
    assert listed.splitlines()[-1] == "0 dead letters", listed
