"""Home's tasks for staff who may read replies: a mailbox that fails, and mails that wait. Reads only."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.common.translation import translate
from newsletter.desk.home.task_item import Task
from newsletter.inbound.notices import find_problems
from newsletter.inbound.replies import CAN_READ_REPLIES


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
