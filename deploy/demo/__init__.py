"""The main job played over HTTP, each step shown with its answer: `python -m deploy.demo` (./peygir demo)."""
