"""Logs: one JSON line each, with its trace; no code and no mobile is in them, wherever it was put."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from typing import Any
from uuid import UUID

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone.process import logs
from contracts import tracking_codes
from contracts.gateway import Contact
from tests.support.tracing import continued

KEY = b"k" * 32
CODE = tracking_codes.derive([KEY], KEY, b"")[0]
MOBILE = "+989120000000"
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")

SPELLINGS = [
    CODE,
    tracking_codes.grouped(CODE),
    tracking_codes.grouped(CODE).replace(" ", "-"),
    tracking_codes.grouped(CODE).replace(" ", "\u200c"),
    CODE.translate(PERSIAN),
    tracking_codes.grouped(CODE).translate(ARABIC),
    MOBILE,
    "09120000000",
    "00989120000000",
    "989120000000",
    "0912 000 0000",
    "+98 912-000-0000",
    "0912\u200c000\u200c0000",
    "%2B989120000000",
    "09120000000".translate(PERSIAN),
    "+98 912 000 0000".translate(ARABIC),
]

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def out() -> io.StringIO:
    """The standard output of a process that logs."""
    return io.StringIO()


@pytest.fixture
def lines(out: io.StringIO) -> Iterator[Lines]:
    """What was logged since the last call, read line by line as JSON."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    quiet = {name: logging.getLogger(name).level for name in list(logging.root.manager.loggerDict)}
    with redirect_stdout(out):
        logs.configure("intake")

    def read() -> list[dict[str, Any]]:
        records = [json.loads(line) for line in out.getvalue().splitlines()]
        out.seek(0)
        out.truncate()
        return records

    yield read
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).setLevel(quiet.get(name, logging.NOTSET))


def test_a_line_has_service_time_and_message(lines: Lines) -> None:
    logs.get("rpc").info("answered", method="get_case", متن="فارسی")
    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "answered",
        "level": "info",
        "service": "intake",
        "component": "rpc",
        "method": "get_case",
        "متن": "فارسی",
    }


def test_lines_of_one_trace_are_found_by_its_id(lines: Lines) -> None:
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with continued(parent):
        logs.get("rpc").info("ours")
        logging.getLogger("a.library").warning("theirs")
    assert [line["trace_id"] for line in lines()] == ["4bf92f3577b34da6a3ce929d0e0e4736"] * 2


def test_messages_of_libraries_are_json_too(lines: Lines) -> None:
    logging.getLogger("a.library").warning("tried %s of %s", 2, 3)
    [line] = lines()
    assert (line["event"], line["level"], line["service"]) == ("tried 2 of 3", "warning", "intake")


@pytest.mark.parametrize("spelt", SPELLINGS)
def test_a_code_or_mobile_is_masked_everywhere(lines: Lines, spelt: str) -> None:
    log = logs.get("intake")
    log.info(f"of {spelt}.", plain=spelt, within=f"receptor={spelt}&text=1", quoted=f'"{spelt}"')
    log.info("nested", of={"deep": [{"er": (spelt, {spelt})}], spelt: 1}, raw=spelt.encode() if spelt.isascii() else 0)
    log.info("objects", error=ValueError(f"no {spelt}"), pair=(spelt, spelt))
    logging.getLogger("a.library").warning("got %s", spelt)
    logging.getLogger("a.library").warning("got %(it)r", {"it": [spelt]})
    records = lines()
    assert len(records) == 5
    for line in records:
        text = json.dumps(line, ensure_ascii=False)
        assert spelt not in text
        assert "[masked]" in text
        assert line["level"] in {"info", "warning"}


@pytest.mark.parametrize("spelt", SPELLINGS)
def test_it_is_masked_in_tracebacks_too(lines: Lines, spelt: str) -> None:
    try:
        try:
            raise KeyError(spelt)
        except KeyError as error:
            raise ValueError(f"nothing for {spelt}") from error
    except ValueError:
        logs.get("run").error("died", exc_info=True)
        logging.getLogger("a.library").exception("died")
    records = lines()
    for line in records:
        assert "Traceback" in line["exception"]
        assert spelt not in json.dumps(line, ensure_ascii=False)
        assert line["exception"].count("[masked]") >= 2


def test_they_are_masked_in_numbers_and_models_too(lines: Lines) -> None:
    logs.get("intake").info("numbers", code=int("9" + CODE[1:]), mobile=int(MOBILE[1:]), all=[int(MOBILE[1:])])
    logs.get("intake").info("model", contact=Contact(mobile=MOBILE, code=CODE))
    text = json.dumps(lines())
    assert text.count("[masked]") == 5
    assert MOBILE[3:] not in text
    assert CODE[1:] not in text


def test_ids_figures_and_times_stay_readable(lines: Lines) -> None:
    shown: dict[str, Any] = {
        "case_id": "12345678-1234-4234-8234-123456789012",
        "digest": "1234567890123456" * 4,
        "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
        "at": "2026-11-24T20:11:29.123456Z",
        "seconds": 0.12345678901234567,
        "epoch_ms": 1795551089123,
        "bytes": 209_715_200,
        "nothing": None,
        "yes": True,
        "queue": "intake.submissions",
        "frames": ["consumers.py:127 _call"],
    }
    logs.get("intake").info("figures", **shown, id_object=UUID(shown["case_id"]))
    [line] = lines()
    assert {name: line[name] for name in shown} == shown
    assert shown["case_id"] in line["id_object"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers(0, 10**9) | st.text("آبjk:/ ", max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("آبjk", max_size=4), inner, max_size=3),
        max_leaves=8,
    )
)
def test_other_values_are_logged_unchanged(lines: Lines, value: Any) -> None:
    logs.get("intake").info("said", value=value)
    [line] = lines()
    assert line["value"] == value


def test_an_error_is_described_by_its_place_not_its_text() -> None:
    def fails() -> None:
        raise ValueError("what a citizen wrote")

    with pytest.raises(ValueError, match="wrote") as raised:
        fails()
    assert logs.describe(raised.value).startswith("ValueError at test_backbone_logs.py:")
    assert logs.frames(raised.value)[-1].endswith(" fails")
    assert "wrote" not in logs.describe(raised.value) + "".join(logs.frames(raised.value))


def test_the_level_is_a_setting(lines: Lines, out: io.StringIO) -> None:
    with redirect_stdout(out):
        logs.configure("intake", "warning")
    logs.get("intake").info("too quiet")
    logging.getLogger("a.library").info("too quiet")
    logs.get("intake").warning("loud enough")
    assert [line["event"] for line in lines()] == ["loud enough"]
