"""Whom a request is for is said once; how many connections there are is counted by address and in all."""

from __future__ import annotations

import pytest

from gateway.edge.client_addresses import client_network
from gateway.edge.connections import ConnectionCounter
from gateway.edge.host_header import is_unambiguous_host


@pytest.mark.parametrize(
    ("version", "hosts", "target"),
    [
        ("1.1", [b"peygir.qazvin.ir"], b"/"),
        ("1.1", [b"peygir.qazvin.ir:8443"], b"/v1/me?x=http://other/"),
        ("1.1", [b"127.0.0.1:8000"], b"/"),
        ("1.1", [b"[::1]:8000"], b"/"),
        ("1.1", [b"[::1]"], b"/"),
        ("1.0", [], b"/"),
        ("1.0", [b"door"], b"/"),
        ("1.1", [b"Door"], b"http://door/v1/catalogue"),
        ("1.1", [b"door:80"], b"http://door/"),
        ("1.1", [b"door"], b"https://door:443/"),
        ("1.1", [b"door"], b"http://door"),
        ("1.1", [b"door"], b"*"),
    ],
)
def test_a_request_that_names_one_host(version: str, hosts: list[bytes], target: bytes) -> None:
    assert is_unambiguous_host(version, hosts, target)


@pytest.mark.parametrize(
    ("version", "hosts", "target"),
    [
        ("1.1", [], b"/"),
        ("1.1", [], b"http://door/"),
        ("1.1", [b"door", b"door"], b"/"),
        ("1.1", [b"door", b"other"], b"/"),
        ("1.0", [b"door", b"other"], b"/"),
        ("1.1", [b""], b"/"),
        ("1.1", [b"door other"], b"/"),
        ("1.1", [b"door/path"], b"/"),
        ("1.1", [b"user@door"], b"/"),
        ("1.1", [b"door, other"], b"/"),
        ("1.1", [b"door:port"], b"/"),
        ("1.1", [b"door:99999"], b"/"),
        ("1.1", [b"door:0"], b"/"),
        ("1.1", [b"[::1"], b"/"),
        ("1.1", [b"\xd8\xaf\xd8\xb1"], b"/"),
        ("1.1", [b"x" * 300], b"/"),
        ("1.1", [b"door"], b"http://other/"),
        ("1.1", [b"door"], b"http://door:81/"),
        ("1.1", [b"door"], b"http://door@other/"),
        ("1.1", [b"door"], b"http:///"),
        ("1.1", [b"door"], b"ftp://door/"),
        ("1.0", [b"door"], b"http://other/"),
    ],
)
def test_a_request_that_names_none_or_several(version: str, hosts: list[bytes], target: bytes) -> None:
    assert not is_unambiguous_host(version, hosts, target)


def test_connections_are_bounded_by_address_and_in_all_and_a_proxy_only_in_all() -> None:
    counted = ConnectionCounter(6, 2, client_network, lambda peer: peer == "10.0.0.1")
    assert [counted.enter("192.0.2.1") for _ in range(3)] == [False, False, True]
    counted.leave("192.0.2.1")
    counted.leave("192.0.2.1")
    assert counted.enter("192.0.2.1") is False
    assert [counted.enter(f"2001:db8::{one}") for one in (1, 2)] == [False, False]
    assert counted.enter("2001:db8::3") is True  # one household
    counted.leave("2001:db8::3")
    assert [counted.enter("10.0.0.1") for _ in range(3)] == [False, False, True]  # the seventh in all
    for peer in ("192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2", "10.0.0.1", "10.0.0.1", "10.0.0.1"):
        counted.leave(peer)
    assert len(counted) == 0
    assert counted._open == {}
