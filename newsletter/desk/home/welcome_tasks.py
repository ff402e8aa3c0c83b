"""Home's tasks about welcome mails that are paused or wait for approval. It only reads."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk.home.task_item import Task
from newsletter.desk.welcome.mail_rows import count_waiting, find_mail_state
from newsletter.issues.approval.welcome_rules import FIRST_STEP
from newsletter.models import Issue


def find_welcome_tasks(*, can_approve: bool) -> list[Task]:
    """Return a task for each paused mail, each welcome whose first mail nobody approved yet, and each later mail that waits."""
    mails = Issue.objects.filter(kind=Issue.Kind.WELCOME, publication__archived=False, publication__enabled=True)
    tasks = [_find_task(issue, can_approve=can_approve) for issue in mails.select_related("publication")]
    return sorted((task for task in tasks if task), key=lambda task: task.tone != "urgent")


def _find_task(issue: Issue, *, can_approve: bool) -> Task | None:
    state = find_mail_state(issue)
    url = reverse("newsletter_welcome", args=[issue.publication_id])
    if state.is_on and state.tone == "held":
        waiting = count_waiting(issue)
        people = ngettext("%(people)s person waits for it.", "%(people)s people wait for it.", waiting)
        return Task(
            title=_("%(issue)s is paused") % {"issue": issue},
            detail=" ".join(filter(None, [state.reason, people % {"people": waiting} if waiting else ""])),
            url=url,
            button=_("Decide"),
            tone="urgent",
        )
    if state.tone != "waits":
        return None
    if issue.number != FIRST_STEP:
        return _later_mail_task(issue, url=url, can_approve=can_approve)
    return Task(
        title=_("The welcome of %(publication)s is not on yet") % {"publication": issue.publication},
        detail=_("Once its first mail is approved, everybody who joins the list gets it."),
        url=url,
        button=_("Review and approve") if can_approve else _("Read"),
    )


def _later_mail_task(issue: Issue, *, url: str, can_approve: bool) -> Task | None:
    """Return a task for a welcome mail that waits, once the first one is on. Before, the welcome has a task."""
    if not issue.publication.issues.filter(kind=Issue.Kind.WELCOME, number=FIRST_STEP, on_since__isnull=False).exists():
        return None
    return Task(
        title=_("%(issue)s is waiting for approval") % {"issue": issue},
        detail=_("New subscribers do not get it until it is approved."),
        url=url,
        button=_("Review and approve") if can_approve else _("Read"),
    )
