"""Passwords are checked in native threads, so many at a time, while the rest of the service goes on."""

from __future__ import annotations

import threading
import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # eventlet says of itself that it is deprecated
    import eventlet

    from services.accounts.service import PasswordCheckThreads

from contracts.errors import Unavailable


def test_other_requests_go_on_while_a_password_is_checked() -> None:
    served = threading.Event()
    # Given another request that is served only if it gets its turn during the check
    other_request = eventlet.spawn_after(0, served.set)
    # When the check ends only once that request is served
    assert PasswordCheckThreads(at_once=1, waiting=1)(lambda: served.wait(30))
    other_request.wait()


def test_more_checks_than_may_wait_are_refused() -> None:
    threads, finishing = PasswordCheckThreads(at_once=1, waiting=1), threading.Event()
    checks = [eventlet.spawn(threads, lambda: finishing.wait(30)) for _ in range(2)]
    eventlet.sleep(0)
    with pytest.raises(Unavailable):
        threads(lambda: True)
    finishing.set()
    assert [check.wait() for check in checks] == [True, True]
    assert threads(lambda: True)
