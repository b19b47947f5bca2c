"""A private S3 server from the package nanio."""

import json
import secrets
import sys
import urllib.error
import urllib.request

from deploy.local import ports
from deploy.local.part import SYSTEM_PATH, Part, write_private


class ObjectStore(Part):
    """An S3 server of its own (the package nanio), with one pair of keys."""

    name = "objects"
    title = "S3 server"

    @property
    def endpoint(self) -> str:
        """http://127.0.0.1:port"""
        return f"http://127.0.0.1:{self.port}"

    @property
    def access_key(self) -> str:
        return str(self._remembered()["access_key"])

    @property
    def secret_key(self) -> str:
        return str(self._remembered()["secret_key"])

    def use_keys(self, access_key: str, secret_key: str) -> None:
        """Serve with these keys from the next start on, instead of the ones drawn at the first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self._remembered()
        settings.update(access_key=access_key, secret_key=secret_key)
        write_private(self.folder / "settings.json", json.dumps(settings, indent=1))

    def _new_settings(self) -> dict[str, str | int]:
        return {
            "port": ports.pick(),
            "access_key": secrets.token_hex(10),
            "secret_key": secrets.token_urlsafe(30),
        }

    def _command(self) -> list[str]:
        location = ["--data-dir", str(self.folder / "data"), "--host", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, "-m", "nanio", "serve", *location, "--no-access-log"]

    def _prepare(self) -> None:
        (self.folder / "data").mkdir(exist_ok=True)

    def _environment(self) -> dict[str, str]:
        # By environment, since anybody can read a command line.
        keys = {"NANIO_ACCESS_KEY": self.access_key, "NANIO_SECRET_KEY": self.secret_key}
        return {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", **keys}

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.endpoint, timeout=2).close()  # noqa: S310  # our own part, by http
        except urllib.error.HTTPError:
            # Refused without a signature: it answers.
            return True
        except OSError:
            return False
        return True
