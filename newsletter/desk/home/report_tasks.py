"""Home's tasks about the provider's reports and counts: none can arrive, none arrived, or the counts differ. Reads only."""

from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.common.translation import translate
from newsletter.desk.home.task_item import Task
from newsletter.desk.sends.count_comparison import anchor_comparison, label_provider, summarise_difference
from newsletter.desk.setup.steps import can_set_up
from newsletter.feedback.comparing.compare_counts import find_persisting_differences
from newsletter.feedback.webhook_setup.silence import SilentSend, find_silent_sends
from newsletter.feedback.webhook_setup.state import list_webhook_settings
from newsletter.models import CountComparison
from newsletter.providers.accounts import DEFAULT_ACCOUNT

SETTINGS_URL = "newsletter_setup_provider"


def find_report_tasks(*, now: datetime, person: User | AnonymousUser) -> list[Task]:
    """Return a task for each send without reports or with other counts, and for each account without reports yet."""
    webhooks = list_webhook_settings()
    if not webhooks or not can_set_up(person):
        return []
    persisting = [_describe_difference(row) for row in find_persisting_differences(now=now)]
    silences = find_silent_sends(webhooks, now=now)
    silent = [
        Task(
            title=_title_silence(silence, names_account=len(webhooks) > 1),
            detail=translate(silence.do),
            url=_link_to_reports(silence.account),
            button=_("View"),
            tone="urgent",
        )
        for silence in silences
    ]
    unset = [
        Task(
            title=_("Set up the reports of %(provider)s") % {"provider": webhook.label},
            detail=_("Without them we do not hear of bounces and complaints, and mail these people again."),
            url=_link_to_reports(webhook.account),
            button=_("Set up"),
        )
        for webhook in webhooks
        if not webhook.has_key and webhook.account not in {silence.account for silence in silences}
    ]
    return [*silent, *persisting, *unset]


def _describe_difference(row: CountComparison) -> Task:
    provider = label_provider(row)
    return Task(
        title=_("%(provider)s’s counts of %(issue)s differ from ours")
        % {"provider": provider, "issue": row.send.issue},
        detail=summarise_difference(row, provider=provider),
        url=reverse("newsletter_report", args=[row.send.issue_id]) + f"#{anchor_comparison(row.account)}",
        button=_("View"),
    )


def _title_silence(silence: SilentSend, *, names_account: bool) -> str:
    if not names_account:
        return _("No delivery reports about %(issue)s") % {"issue": silence.send.issue}
    return _("No delivery reports of %(provider)s about %(issue)s") % {
        "provider": silence.label,
        "issue": silence.send.issue,
    }


def _link_to_reports(account: str) -> str:
    """Return the address of the part of the page that is about the reports of this account."""
    part = "" if account == DEFAULT_ACCOUNT else f"-{account}"
    return f"{reverse(SETTINGS_URL)}#nl-reports{part}"
