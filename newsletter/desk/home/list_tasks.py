"""All tasks on Home that one person may see, the most urgent kind first. Reads only."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk.content.sources import describe_last_success
from newsletter.desk.home.event_tasks import find_event_location_tasks, find_event_tasks, find_unsure_event_tasks
from newsletter.desk.home.extension_tasks import find_extension_tasks
from newsletter.desk.home.gmail_tasks import STEP as GMAIL_PAGE
from newsletter.desk.home.gmail_tasks import find_gmail_tasks
from newsletter.desk.home.inbound_tasks import find_inbound_tasks
from newsletter.desk.home.issue_tasks import find_issue_tasks
from newsletter.desk.home.people_tasks import find_people_tasks
from newsletter.desk.home.report_tasks import SETTINGS_URL as REPORTS_PAGE
from newsletter.desk.home.report_tasks import find_report_tasks
from newsletter.desk.home.staff_tasks import find_staff_tasks
from newsletter.desk.home.task_item import Task, shorten
from newsletter.desk.home.webhook_tasks import find_webhook_tasks
from newsletter.desk.setup.steps import can_set_up
from newsletter.desk.shell.labels import format_reason
from newsletter.models import Brand, Source


def find_tasks(*, now: datetime, person: User | AnonymousUser) -> list[Task]:
    """Return the tasks that the person has the permissions for. Each kind is shortened."""
    issues, events, sources = (
        reverse(f"wagtailsnippets_newsletter_{model}:list") for model in ("issue", "eventnotice", "source")
    )
    kinds: list[tuple[list[Task], str]] = []
    if person.has_perm("newsletter.view_issue"):
        can_approve = person.has_perm("newsletter.approve_issue")
        kinds += [(tasks, issues) for tasks in find_issue_tasks(now=now, can_approve=can_approve)]
    kinds.insert(1, (find_event_tasks(now=now, person=person), events))
    kinds.insert(1, (find_report_tasks(now=now, person=person), reverse(REPORTS_PAGE)))
    kinds.insert(1, (find_gmail_tasks(now=now, person=person), reverse(GMAIL_PAGE)))
    kinds += [([task], "") for task in find_people_tasks(now=now, person=person)]
    if can_set_up(person):
        kinds.append((find_privacy_tasks(), ""))
    kinds.append((find_staff_tasks(now=now, person=person), reverse("wagtailusers_users:index")))
    kinds += [([task], "") for task in find_extension_tasks(person=person)]
    kinds.append((find_webhook_tasks(person=person), reverse("newsletter_webhooks")))
    kinds.append((find_inbound_tasks(now=now, person=person), reverse("newsletter_replies")))
    if person.has_perm("newsletter.view_source") or person.has_perm("newsletter.change_source"):
        kinds.append((_source_tasks(), sources))
    if person.has_perm("newsletter.view_eventnotice"):
        kinds.append((find_unsure_event_tasks(now=now), ""))
    if person.has_perm("newsletter.change_eventnotice"):
        kinds.append((find_event_location_tasks(now=now), ""))
    return [task for tasks, list_url in kinds for task in shorten(tasks, list_url=list_url)]


def find_privacy_tasks() -> list[Task]:
    """Return a task for each organisation whose public pages link to no privacy notice."""
    return [
        Task(
            title=_("Add the address of your privacy notice: %(brand)s") % {"brand": brand.name},
            detail=_("The sign-up form and the pages of your readers do not link to one."),
            url=reverse("wagtailsnippets_newsletter_brand:edit", args=[brand.pk]),
            button=_("Add"),
            tone="calm",
        )
        for brand in Brand.objects.in_use().filter(privacy_url="").order_by("pk")
    ]


def _source_tasks() -> list[Task]:
    return [
        Task(
            title=_("The source “%(source)s” cannot be read") % {"source": source.name},
            detail=f"{format_reason(source.error)} {describe_failures(source.failures)}; {describe_last_success(source)}.",
            url=reverse("wagtailsnippets_newsletter_source:edit", args=[source.pk]),
            button=_("View"),
        )
        for source in Source.objects.filter(enabled=True, failures__gt=0).order_by("-failures")
    ]


def describe_failures(failures: int) -> str:
    return ngettext("Failed once", "Failed %(times)s times in a row", failures) % {"times": failures}
