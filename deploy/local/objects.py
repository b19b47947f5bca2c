"""A private S3 server from the package nanio."""

import json
import secrets
import sys
import urllib.error
import urllib.request

from deploy.local import ports
from deploy.local.part import SYSTEM_PATH, Part, write_private
