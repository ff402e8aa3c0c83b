"""All tasks on Home that one person may see, the most urgent kind first. Reads only."""

from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.common.translation import translate
from newsletter.desk.content.sources import describe_last_success
from newsletter.desk.home.event_tasks import find_event_location_tasks, find_event_tasks, find_unsure_event_tasks
from newsletter.desk.home.gmail_tasks import STEP as GMAIL_PAGE
from newsletter.desk.home.gmail_tasks import find_gmail_tasks
from newsletter.desk.home.issue_tasks import find_issue_tasks
from newsletter.desk.home.people_tasks import find_people_tasks
from newsletter.desk.home.report_tasks import SETTINGS_URL as REPORTS_PAGE
from newsletter.desk.home.report_tasks import find_report_tasks
from newsletter.desk.home.slot_tasks import find_missed_slot_tasks
from newsletter.desk.home.task_item import Task, shorten
from newsletter.desk.setup.steps import can_set_up
from newsletter.desk.shell.labels import format_reason
from newsletter.inbound.notices import find_problems
from newsletter.inbound.replies import CAN_READ_REPLIES
from newsletter.issues.assembly.source_notices import CONSEQUENCE
from newsletter.models import AuditEntry, Brand, Source
from newsletter.organisation.health.configuration import list_broken_extensions
from subscribers.models import WebhookEndpoint

LOOK_BACK = timedelta(days=7)


def find_tasks(*, now: datetime, person: User | AnonymousUser) -> list[Task]:
    """Return the tasks that the person has the permissions for. Each kind is shortened."""
    issues, events, sources = (
        reverse(f"wagtailsnippets_newsletter_{model}:list") for model in ("issue", "eventnotice", "source")
    )
    kinds: list[tuple[list[Task], str]] = []
    if person.has_perm("newsletter.view_issue"):
        kinds += [(tasks, issues) for tasks in find_issue_tasks(now=now, person=person)]
    kinds.insert(1, (find_missed_slot_tasks(now=now, person=person), issues))
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
        kinds.append((find_unsure_event_tasks(now=now, person=person), ""))
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
            detail=f"{format_reason(source.error)} {translate(CONSEQUENCE)} {describe_failures(source.failures)}; "
            f"{describe_last_success(source)}.",
            url=reverse("wagtailsnippets_newsletter_source:edit", args=[source.pk]),
            button=_("View"),
        )
        for source in Source.objects.filter(enabled=True, failures__gt=0).order_by("-failures")
    ]


def describe_failures(failures: int) -> str:
    return ngettext("Failed once", "Failed %(times)s times in a row", failures) % {"times": failures}


def find_extension_tasks(*, person: User | AnonymousUser) -> list[Task]:
    """Return a task for each extension that was left out, if the person may set things up."""
    if not can_set_up(person):
        return []
    return [
        Task(
            title=_("The extension “%(name)s” could not be loaded") % {"name": broken.name},
            detail=_("It is part of the package “%(package)s”: %(reason)s. %(do)s Everything else works.")
            % {"package": broken.package, "reason": translate(broken.reason), "do": translate(broken.do)},
            url="",
            button="",
        )
        for broken in list_broken_extensions()
    ]


def find_inbound_tasks(*, now: datetime, person: User | AnonymousUser) -> list[Task]:
    """Return a task for each kind of problem, if the person may read replies."""
    if not person.has_perm(CAN_READ_REPLIES):
        return []
    return [
        Task(
            title=_("Mail that comes in needs you"),
            detail=translate(problem),
            url=reverse("newsletter_replies"),
            button=_("View"),
        )
        for problem in find_problems(now=now).values()
    ]


def find_staff_tasks(*, now: datetime, person: User | AnonymousUser) -> list[Task]:
    """Return a task for each lost second factor, if the person may change accounts."""
    if not person.has_perm("auth.change_user"):
        return []
    reported = AuditEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(User),
        action="newsletter.factor_lost",
        timestamp__gt=now - LOOK_BACK,
    )
    latest = {int(entry.object_id): entry.timestamp for entry in reported.order_by("pk")}
    people = User.objects.filter(pk__in=latest, is_active=True).order_by("username")
    return [
        _lost_factor_task(without_factor)
        for without_factor in people
        if _has_factor_from_before(without_factor, latest[without_factor.pk])
    ]


def _has_factor_from_before(person: User, moment: datetime) -> bool:
    return bool(Authenticator.objects.filter(user=person, created_at__lt=moment).exists())


def _lost_factor_task(person: User) -> Task:
    return Task(
        title=_("%(person)s cannot give the code of their second factor") % {"person": person},
        detail=_("Ask them in person or by phone whether this is true. If it is, remove the second factor."),
        url=reverse("wagtailusers_users:edit", args=[person.pk]),
        button=_("View"),
    )


def find_webhook_tasks(*, person: User | AnonymousUser) -> list[Task]:
    """Return a task for each stopped webhook, if the person may change webhooks."""
    if not person.has_perm("subscribers.change_webhookendpoint"):
        return []
    stopped = WebhookEndpoint.objects.filter(state=WebhookEndpoint.State.STOPPED, failing_since__isnull=False)
    return [
        Task(
            title=_("“%(name)s” accepts no webhooks") % {"name": endpoint.name},
            detail=_("It has accepted nothing since %(since)s, so we stopped trying. We keep new messages for 30 days.")
            % {"since": date_format(localtime(endpoint.failing_since), _("j M, H:i"))},
            url=reverse("newsletter_webhook", args=[endpoint.pk]),
            button=_("View"),
        )
        for endpoint in stopped
    ]
