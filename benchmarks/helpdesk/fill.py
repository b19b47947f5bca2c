"""A queue, a member of staff and a token for them; prints what the benchmark needs to know of them, as JSON."""

import json

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402  # Django must be set up first
from helpdesk.models import Queue  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

user, _ = get_user_model().objects.get_or_create(
    username="inspector", defaults={"is_staff": True, "is_superuser": True, "email": "inspector@example.org"}
)
queue, _ = Queue.objects.get_or_create(slug="roads", defaults={"title": "Roads", "allow_public_submission": True})
token, _ = Token.objects.get_or_create(user=user)
print(json.dumps({"user": user.pk, "queue": queue.pk, "token": token.key}))
