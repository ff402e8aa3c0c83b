"""Sessions of staff: the middleware that requires a second factor and ends sessions.

A session ends when the person's role, permissions or factors change, after an hour without use, and after twelve hours.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache as keep_results

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.stagekit import get_pending_stage
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.core.cache import cache
from django.db import connection
from django.db.models import Value
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.log_actions import log
from wagtail.users.models import UserProfile

from newsletter.common.database.compiled_query import ROW_PLACEHOLDER, TIME_PLACEHOLDER, CompiledQuery, compile_query
from newsletter.common.database.sqlite_pragmas import sqlite_lock_wait
from newsletter.models.staff import done_from
from newsletter.organisation.accounts.administrators import list_administrators
from subscribers.web.page import client_address_of

SECOND_FACTOR_PERMISSIONS = (
    "newsletter.approve_issue",
    "newsletter.send_issue",
    "newsletter.change_publication",
    "newsletter.view_auditentry",
    "newsletter.change_apikey",
    "subscribers.change_webhookendpoint",
    "newsletter.change_maillimits",
    "newsletter.change_canarymailbox",
    "newsletter.add_gift",
    "newsletter.change_protectedterm",
    "subscribers.view_subscriber",
    "subscribers.add_importbatch",
    "auth.change_user",
)
IDLE_TIMEOUT = timedelta(hours=1)
LOST_FACTOR_INTERVAL_SECONDS = 3600
MAX_SESSION_AGE = timedelta(hours=12)
LAST_SEEN_INTERVAL = timedelta(minutes=1)
LAST_SEEN_WAIT_SECONDS = 0.5
BEGAN_KEY = "staff_began"
LAST_SEEN_KEY = "staff_seen"
FINGERPRINT_KEY = "staff_stamp"
SECOND_FACTOR_KEY = "staff_second_factor"
NEXT_KEY = "staff_next"
DESK_PATH, ACCOUNTS_PATH = "/admin/", "/accounts/"
EXEMPT_PATHS = frozenset({"/admin/logout/", "/admin/login/", "/admin/jsi18n/", "/admin/sprite/"})


def needs_second_factor(user: User | AnonymousUser) -> bool:
    """Return True if the user can approve, send, see people's data or administer; never in the demo."""
    return not settings.NEWSLETTER_DEMO and any(user.has_perm(right) for right in SECOND_FACTOR_PERMISSIONS)


def has_passed(request: HttpRequest) -> bool:
    """Return True if this session gave or set up a second factor."""
    user: User | AnonymousUser = request.user
    if request.session.get(SECOND_FACTOR_KEY) == user.pk:
        return True
    return any(record["method"] == "mfa" for record in get_authentication_records(request, user))


def begin_session(request: HttpRequest, *, now: datetime) -> None:
    """Store when the session began and the fingerprint of its user. Call it after each sign-in."""
    request.session[BEGAN_KEY] = request.session[LAST_SEEN_KEY] = now.timestamp()
    request.session[FINGERPRINT_KEY] = make_fingerprint(request.user)


def make_fingerprint(user: User | AnonymousUser) -> str:
    """Return a hash that changes with the user's groups, permissions, active and superuser flags, and second factors."""
    parts = [str(user.pk), f"{user.is_active}{user.is_superuser}"]
    parts += [",".join(map(str, sorted(keys))) for keys in _list_granted(user)]
    return salted_hmac("newsletter.staff", "|".join(parts), algorithm="sha256").hexdigest()


def _list_granted(user: User | AnonymousUser) -> list[list[int]]:
    """Return the keys of the user's groups, permissions and second factors."""
    granted: list[list[int]] = [[], [], []]
    if user.pk is not None:
        query = _compile_granted(connection.vendor)
        with connection.cursor() as cursor:
            cursor.execute(query.sql, query.fill(moment=TIME_PLACEHOLDER, row=user.pk))
            for kind, key in cursor.fetchall():
                granted[kind].append(key)
    return granted


@keep_results
def _compile_granted(vendor: str) -> CompiledQuery:
    """Compile one query of all three kinds, because each request to the desk makes a fingerprint."""
    keys = [
        User.groups.through._default_manager.filter(user_id=ROW_PLACEHOLDER).values_list(Value(0), "group_id"),
        User.user_permissions.through._default_manager.filter(user_id=ROW_PLACEHOLDER).values_list(
            Value(1), "permission_id"
        ),
        Authenticator.objects.filter(user_id=ROW_PLACEHOLDER).values_list(Value(2), "pk"),
    ]
    return compile_query(keys[0].union(*keys[1:], all=True))


class StaffSessionMiddleware:
    """Sign out ended sessions, and redirect staff without their second factor away from the desk.

    Templates read `request.may_open_desk`, and offer no link that would lead back.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if getattr(request, "is_dummy", False):
            return self.get_response(request)
        token = done_from.set(client_address_of(request))
        try:
            return self._handle(request)
        finally:
            done_from.reset(token)

    def _handle(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        if not request.user.is_authenticated:
            return self.get_response(request)
        ended = explain_session_end(request, now=now)
        if ended:
            logout(request)
            messages.warning(request, ended)
            return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")
        detour = find_second_factor_url(request)
        if detour:
            return HttpResponseRedirect(detour)
        request.may_open_desk = SimpleLazyObject(lambda: _may_open_desk(request))  # type: ignore[attr-defined]
        with translation.override(_get_language(request)):
            response = self.get_response(request)
        if request.method == "POST" and request.path_info.startswith(ACCOUNTS_PATH) and request.user.is_authenticated:
            _keep_own_session(request)
        return response


def explain_session_end(request: HttpRequest, *, now: datetime) -> str:
    """Return why this session has ended, as a sentence for the user; empty if it continues."""
    session, moment = request.session, now.timestamp()
    if FINGERPRINT_KEY not in session:
        begin_session(request, now=now)
        return ""
    if not constant_time_compare(session[FINGERPRINT_KEY], make_fingerprint(request.user)):
        return _("Your role or your sign-in changed, so you were signed out. Please sign in again.")
    if moment - session.get(BEGAN_KEY, 0) > MAX_SESSION_AGE.total_seconds():
        return _("You were signed in for twelve hours. Please sign in again.")
    if moment - session.get(LAST_SEEN_KEY, 0) > IDLE_TIMEOUT.total_seconds():
        return _("You were signed out after an hour without use. Please sign in again.")
    if moment - session[LAST_SEEN_KEY] > LAST_SEEN_INTERVAL.total_seconds():
        _record_use(request.session, moment=moment)
    return ""


def _record_use(session: SessionBase, *, moment: float) -> None:
    """Store when the session was last used. If others write to the database for long, leave it to the next page."""
    was_modified = session.modified
    session[LAST_SEEN_KEY] = moment
    try:
        with sqlite_lock_wait(seconds=LAST_SEEN_WAIT_SECONDS):
            session.save()
    except UpdateError:
        pass
    session.modified = was_modified


def find_second_factor_url(request: HttpRequest) -> str:
    """Return the page on which the user must give or set up a second factor first; empty if nothing is missing.

    It tests `path_info`, which routing uses: `path` begins with SCRIPT_NAME, which a client can send.
    Setting up takes three pages. The session keeps the requested page, and the last of the three leads there.
    """
    if not request.path_info.startswith(DESK_PATH) or request.path_info in EXEMPT_PATHS:
        return ""
    if _may_open_desk(request):
        if NEXT_KEY in request.session:
            del request.session[NEXT_KEY]
        return ""
    if is_mfa_enabled(request.user):
        return f"{reverse('mfa_reauthenticate')}?{urlencode({'next': request.get_full_path()})}"
    if request.method == "GET":
        request.session[NEXT_KEY] = request.get_full_path()
    return reverse("mfa_activate_totp")


def _may_open_desk(request: HttpRequest) -> bool:
    return has_passed(request) or not needs_second_factor(request.user)


@require_POST
def report_lost_factor(request: HttpRequest) -> HttpResponse:
    """Log that somebody who gave their password cannot give the code. Home and a mail notify the administrators."""
    stage = get_pending_stage(request)
    person = request.user if request.user.is_authenticated else stage.login.user if stage else None
    if not isinstance(person, User) or not is_mfa_enabled(person):
        return HttpResponseRedirect(reverse("account_login"))
    if not list_administrators().exclude(pk=person.pk).exists():
        messages.warning(
            request,
            _("There is no other administrator. On the server, run: newsletter staff forget-factor %(email)s")
            % {"email": person.username},
        )
    else:
        if cache.add(f"lost-factor-{person.pk}", True, timeout=LOST_FACTOR_INTERVAL_SECONDS):
            log(instance=person, action="newsletter.factor_lost", user=person)
        messages.success(request, _("We told the administrators. One of them will contact you and remove it."))
    return HttpResponseRedirect(reverse("mfa_reauthenticate" if request.user.is_authenticated else "mfa_authenticate"))


def _get_language(request: HttpRequest) -> str | None:
    """Return the user's own language on account pages, and for the desk's own 404 pages, where Wagtail does not set it.

    Elsewhere it is the current one.
    """
    if request.path_info.startswith(ACCOUNTS_PATH):
        return str(UserProfile.get_for_user(request.user).get_preferred_language())
    profile = getattr(request.user, "wagtail_userprofile", None) if request.path_info.startswith(DESK_PATH) else None
    return str(profile.get_preferred_language()) if profile else translation.get_language()


def _keep_own_session(request: HttpRequest) -> None:
    """Keep the session in which the user changed their own factors. All their other sessions end."""
    fingerprint = make_fingerprint(request.user)
    if request.session.get(FINGERPRINT_KEY) != fingerprint:
        request.session[FINGERPRINT_KEY] = fingerprint
        log(instance=request.user, action="newsletter.factor_changed", user=request.user)
        if is_mfa_enabled(request.user):
            request.session[SECOND_FACTOR_KEY] = request.user.pk
        else:
            request.session.pop(SECOND_FACTOR_KEY, None)
