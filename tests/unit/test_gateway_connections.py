"""Whom a request is for is said once; how many connections there are is counted by address and in all."""

from __future__ import annotations

import pytest

from gateway.edge.client_addresses import client_network
from gateway.edge.connections import ConnectionCounter
from gateway.edge.host_header import is_unambiguous_host

INVALID_HOSTS = (
    *(b"", b"gateway other", b"gateway/path", b"user@gateway", b"gateway, other", b"[::1"),
    *(b"gateway:port", b"gateway:99999", b"gateway:0", b"\xd8\xaf\xd8\xb1", b"x" * 300),
)
OTHER_TARGETS = (
    *(b"http://other/", b"http://gateway:81/", b"http://gateway@other/"),
    *(b"http:///", b"ftp://gateway/"),
)
"""Of another host than `gateway`, or of a kind that is not served."""


@pytest.mark.parametrize(
    ("version", "hosts", "target"),
    [
        *(("1.1", [host], b"/") for host in (b"peygir.qazvin.ir", b"127.0.0.1:8000", b"[::1]:8000", b"[::1]")),
        *(("1.0", hosts, b"/") for hosts in ([], [b"gateway"])),
        *(("1.1", [b"gateway"], target) for target in (b"https://gateway:443/", b"http://gateway", b"*")),
        ("1.1", [b"peygir.qazvin.ir:8443"], b"/v1/me?x=http://other/"),
        ("1.1", [b"Gateway"], b"http://gateway/v1/catalogue"),
        ("1.1", [b"gateway:80"], b"http://gateway/"),
    ],
)
def test_a_request_that_names_one_host(version: str, hosts: list[bytes], target: bytes) -> None:
    assert is_unambiguous_host(version, hosts, target)


@pytest.mark.parametrize(
    ("version", "hosts", "target"),
    [
        *(("1.1", [], target) for target in (b"/", b"http://gateway/")),
        *(("1.1", [b"gateway", host], b"/") for host in (b"gateway", b"other")),
        ("1.0", [b"gateway", b"other"], b"/"),
        *(("1.1", [host], b"/") for host in INVALID_HOSTS),
        *(("1.1", [b"gateway"], target) for target in OTHER_TARGETS),
        ("1.0", [b"gateway"], b"http://other/"),
    ],
)
def test_a_request_that_names_none_or_several(version: str, hosts: list[bytes], target: bytes) -> None:
    assert not is_unambiguous_host(version, hosts, target)


def test_connections_are_limited_per_address_and_in_total_and_proxies_only_in_total() -> None:
    counted = ConnectionCounter(6, 2, client_network, lambda peer: peer == "10.0.0.1")
    assert [counted.enter("192.0.2.1") for _ in range(3)] == [False, False, True]
    counted.leave("192.0.2.1")
    counted.leave("192.0.2.1")
    assert counted.enter("192.0.2.1") is False
    assert [counted.enter(f"2001:db8::{host}") for host in (1, 2)] == [False, False]
    assert counted.enter("2001:db8::3") is True  # one household
    counted.leave("2001:db8::3")
    assert [counted.enter("10.0.0.1") for _ in range(3)] == [False, False, True]  # the seventh in all
    for peer in ("192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2", "10.0.0.1", "10.0.0.1", "10.0.0.1"):
        counted.leave(peer)
    assert len(counted) == 0
    assert counted._open == {}
