"""What insight reads from its environment."""

from __future__ import annotations

from backbone.process.settings import ServiceSettings


class Settings(ServiceSettings):
    """Nothing of its own: it holds no key, since it has nothing to open."""
