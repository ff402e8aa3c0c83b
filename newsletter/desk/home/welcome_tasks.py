"""Home's tasks about welcomes: mails that are paused, with the people who wait, and a new welcome to approve. Reads only."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.desk.home.task_item import Task
from newsletter.desk.welcome.mail_rows import count_waiting, find_mail_state
from newsletter.models import Issue


def find_welcome_tasks(*, can_approve: bool) -> list[Task]:
    """Return a task for each paused mail, and for each welcome whose first mail nobody approved yet."""
    mails = Issue.objects.filter(kind=Issue.Kind.WELCOME, publication__archived=False, publication__enabled=True)
    found = [_find_task(issue, can_approve=can_approve) for issue in mails.select_related("publication")]
    return sorted((task for task in found if task), key=lambda task: task.tone != "urgent")


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
    return Task(
        title=_("The welcome of %(publication)s is not on yet") % {"publication": issue.publication},
        detail=_("Once its first mail is approved, everybody who joins the list gets it."),
        url=url,
        button=_("Review and approve") if can_approve else _("Read"),
    )
