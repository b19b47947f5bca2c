"""The HTTP API: a package per resource, with `endpoints.py`, `bodies.py`, `commands.py` and `examples.py` as it needs them."""
