"""Check the age of the newest backup. Only `newsletter backup` stores its time."""

from datetime import datetime, timedelta

from django.conf import settings

from newsletter.models import Installation
from newsletter.sending.deliverability.findings import Finding, ok, warning

MAX_AGE = timedelta(days=8)
"""Enough for a backup once a week. An older one is no longer made by the timer that once made it."""


def check_backup(*, now: datetime) -> Finding:
    """Report when the newest complete archive was made."""
    made_at = Installation.objects.values_list("backed_up_at", flat=True).first()
    if made_at is None:
        text = "No archive of `newsletter backup` is known."
        if not settings.NEWSLETTER_PRODUCTION:
            return ok("backup", f"{text} This is not production.")
        do = "Run `newsletter backup` every day. If you back up by other means, check that they run: this program cannot."
        return Finding("backup", "advice", text, do)
    made = f"The newest archive was made on {made_at:%Y-%m-%d %H:%M} UTC"
    if now - made_at <= MAX_AGE:
        return ok("backup", f"{made}.")
    text = f"{made}, {(now - made_at).days} days ago. What came since is lost if this machine fails."
    return warning(
        "backup", text, "Look why `newsletter backup` no longer runs, such as in the log of cron, and run it."
    )
