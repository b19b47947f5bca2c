"""A service that does nothing, so that what is measured is the messaging around it. Run by `benchmarks.messaging`, which puts the
tree that is measured on PYTHONPATH."""

from __future__ import annotations

import os

os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"

import warnings

warnings.filterwarnings("ignore", message="(?s).*Eventlet is deprecated.*")

import eventlet

eventlet.monkey_patch()

import uuid

from backbone.messaging.amqp import Outgoing
from backbone.messaging.rpc import rpc
from backbone.process import logs
from backbone.process.dependencies import BrokerAccess
from backbone.process.run import serve
from backbone.process.settings import ServiceSettings, load
from benchmarks.messaging_contracts import Done, Echo, Publish


class Service:
    name = "bench"
    broker = BrokerAccess()

    @rpc
    def echo(self, request: Echo) -> Done:
        return Done(text=request.text)

    @rpc
    def publish(self, request: Publish) -> Done:
        """`count` messages of 800 bytes, `together` at once, each batch when the one before is confirmed."""
        for _ in range(0, request.count, request.together):
            messages = [
                Outgoing("accounts.events", "bench.v1", b"x" * 800, str(uuid.uuid4()), "bench.v1")
                for _ in range(request.together)
            ]
            if any(self.broker.publish(messages)):
                raise RuntimeError("a message was not confirmed")
        return Done(text="")


if __name__ == "__main__":
    settings = load(ServiceSettings)
    logs.configure("bench", settings.log_level)
    os._exit(serve(Service, settings))
