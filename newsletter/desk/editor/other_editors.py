"""Warn a person who opens the editor of an issue about others who have it open."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from wagtail.admin.models import EditingSession
from wagtail.admin.templatetags.wagtailadmin_tags import user_display_name

from newsletter.models import Issue


def find_other_editors(issue: Issue, *, user: User) -> list[str]:
    """Return the names of the staff whose open editor of the issue reported itself within the last minutes."""
    sessions = EditingSession.objects.filter(
        content_type=ContentType.objects.get_for_model(Issue),
        object_id=str(issue.pk),
        last_seen_at__gte=timezone.now() - EditingSession.IDLE_TIMEOUT,
    ).exclude(user=user)
    people = User.objects.filter(pk__in=sessions.values("user")).order_by("pk")
    return [str(user_display_name(person)) for person in people]


def warn_of_other_editors(request: HttpRequest, issue: Issue, *, user: User) -> None:
    """Show who else edits the issue, and the way to read it without editing."""
    if editors := find_other_editors(issue, user=user):
        text = _(
            "Open in another editor too: %(who)s. If you both write, nothing is overwritten: the second to save is told, "
            "and keeps the text."
        ) % {"who": ", ".join(editors)}
        link = reverse("newsletter_issue_watch", args=[issue.pk])
        messages.warning(request, format_html('{} <a href="{}">{}</a>', text, link, _("Watch without editing")))
