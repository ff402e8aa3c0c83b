"""End the sessions of a member of staff, in every browser."""

from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

_ROWS_AT_ONCE = 500


def end_sessions(person: User) -> int:
    """End all sessions of this person. Return how many there were.

    The sessions themselves are read: the list that the person sees names a session by the key that it had at first.
    """
    open_sessions = Session.objects.filter(expire_date__gt=timezone.now()).iterator(chunk_size=_ROWS_AT_ONCE)
    own = [session.pk for session in open_sessions if session.get_decoded().get(SESSION_KEY) == str(person.pk)]
    Session.objects.filter(pk__in=own).delete()
    UserSession.objects.filter(user=person).delete()
    return len(own)
