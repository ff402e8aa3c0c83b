"""What every editor of content does beside saving: void approvals that the edit made stale, and say so."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone

from newsletter.desk.stale import void_stale_approvals
from newsletter.models import Issue


class VoidsApprovals:
    """Mixed into an edit view of something that issues show: a story, an event, an appeal, a brand, a publication."""

    request: HttpRequest

    def save_instance(self) -> Any:
        saved = super().save_instance()  # type: ignore[misc]
        say_voided(self.request, void_stale_approvals(now=timezone.now()))
        return saved


def say_voided(request: HttpRequest, issues: list[Issue]) -> None:
    for issue in issues:
        messages.warning(
            request, f"{issue} shows this and had been approved. It is a draft again: look at it and approve it anew."
        )
