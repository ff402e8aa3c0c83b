"""Home's tasks for administrators: webhooks that were stopped because nobody takes them. Reads only."""

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from newsletter.desk.home.task_item import Task
from subscribers.models import WebhookEndpoint


def find_webhook_tasks(*, person: User | AnonymousUser) -> list[Task]:
    """Return a task for each stopped webhook, if the person may change webhooks."""
    if not person.has_perm("subscribers.change_webhookendpoint"):
        return []
    stopped = WebhookEndpoint.objects.filter(state=WebhookEndpoint.State.STOPPED, failing_since__isnull=False)
    return [
        Task(
            title=_("“%(name)s” takes no webhooks") % {"name": endpoint.name},
            detail=_("Nothing was taken since %(since)s, so we stopped trying. What happens is kept for 30 days.")
            % {"since": date_format(localtime(endpoint.failing_since), _("j M, H:i"))},
            url=reverse("newsletter_webhook", args=[endpoint.pk]),
            button=_("View"),
        )
        for endpoint in stopped
    ]
