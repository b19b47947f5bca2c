from alembic import context

from backbone.storage.migrate import run_env

run_env(context.config.attributes["connection"])
