"""The private servers of a run without containers: RabbitMQ, PostgreSQL and an S3 server.

Each is a child process that keeps its data, log, port and secrets in a folder of its own, restarts on the same port, and ends
with the process that started it. None touches the system's own servers; only Erlang's port mapper (epmd, 4369) is shared.
"""

from deploy.local.child_process import CannotStart
from deploy.local.object_store import ObjectStore
from deploy.local.part import Part
from deploy.local.postgresql import PostgreSQL, create_databases, database_url
from deploy.local.rabbitmq import RabbitMQ

__all__ = ["CannotStart", "ObjectStore", "Part", "PostgreSQL", "RabbitMQ", "create_databases", "database_url"]
