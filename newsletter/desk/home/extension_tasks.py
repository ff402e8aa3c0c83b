"""Home's tasks about extensions that could not be loaded. Reads only."""

from django.contrib.auth.models import AnonymousUser, User
from django.utils.translation import gettext as _

from newsletter.common.translation import translate
from newsletter.desk.home.task_item import Task
from newsletter.desk.setup.steps import can_set_up
from newsletter.organisation.health.extensions import list_broken_extensions


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
