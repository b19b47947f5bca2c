"""The private real parts of a run without containers: RabbitMQ, PostgreSQL and an S3 server.

Each is a child process that keeps its data, log, port and secrets in a folder of its own, comes back on
the same port, and dies with the process that started it. None touches the system's own servers; only Erlang's
port mapper (epmd, 4369) is shared.
"""

from deploy.local.children import CannotStart
from deploy.local.objects import ObjectStore
from deploy.local.part import Part
from deploy.local.postgresql import PostgreSQL, create_databases, database_url
from deploy.local.rabbitmq import RabbitMQ

__all__ = ["CannotStart", "ObjectStore", "Part", "PostgreSQL", "RabbitMQ", "create_databases", "database_url"]
