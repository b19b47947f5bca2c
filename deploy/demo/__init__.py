"""A complaint from end to end over HTTP, each step printed with its answer: `python -m deploy.demo` (./peygir demo)."""
