"""Make the reader of figures from the settings. It is made again for each reading, because its token ends in an hour."""

from datetime import datetime

from django.conf import settings

from newsletter.google_postmaster.figures import FigureFailure, FigureReader, FiguresUnavailable
from newsletter.google_postmaster.google import GooglePostmaster
from newsletter.google_postmaster.google_http import GoogleCalls
from newsletter.google_postmaster.key_file import read_key_file
from newsletter.google_postmaster.settings import PostmasterAccess
from newsletter.google_postmaster.tokens import fetch_token


def get_access() -> PostmasterAccess | None:
    """Return the settings, or None if Google is not to be asked."""
    access: PostmasterAccess = settings.NEWSLETTER_POSTMASTER
    return access if access.key_file is not None else None


def open_figures(access: PostmasterAccess, *, now: datetime) -> FigureReader:
    """Return a reader with a new token. Raises FiguresUnavailable."""
    if access.key_file is None:
        raise FiguresUnavailable(FigureFailure.KEY_FILE, "There is no key file.")
    allow = [*settings.NEWSLETTER_FETCH_ALLOW, *access.own_hosts]
    token = fetch_token(read_key_file(access.key_file), person=access.person, now=now, allow=allow)
    return GooglePostmaster(GoogleCalls(token, allow), endpoint=access.endpoint)
