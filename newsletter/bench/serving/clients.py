"""Make requests inside a measurement as readers and staff of this installation."""

from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from newsletter.desk.staff.second_factor import SECOND_FACTOR_KEY


def make_client() -> Client:
    """Return a client that asks for the host of this installation, because production answers no other."""
    return Client(SERVER_NAME=urlsplit(settings.NEWSLETTER_SITE_URL).hostname or "127.0.0.1")


def sign_in() -> Client:
    """Return a client signed in as a new administrator who passed the second factor."""
    user = User.objects.create_superuser(f"bench-{uuid4()}@example.org", "bench@example.org", uuid4().hex)
    client = make_client()
    client.force_login(user)
    session = client.session
    session[SECOND_FACTOR_KEY] = user.pk
    session.save()
    return client
