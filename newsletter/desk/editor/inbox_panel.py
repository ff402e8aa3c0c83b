"""Beside subject and preheader: how the row looks in an inbox, how long both are, and the personal fields to put in."""

from typing import Any

from django.utils.translation import gettext as _

from newsletter.models import Issue

MAX_SUBJECT_LENGTH, MIN_PREHEADER_LENGTH, MAX_PREHEADER_LENGTH = 60, 40, 110


def inbox_panel_context(issue: Issue) -> dict[str, Any]:
    """What the panel's template needs; the words themselves are read from the form while they are typed."""
    return {
        "sender": issue.publication.from_name,
        "subject_shown": MAX_SUBJECT_LENGTH,
        "least": MIN_PREHEADER_LENGTH,
        "most": MAX_PREHEADER_LENGTH,
        "fields": [
            {"name": "first_name", "label": _("First name"), "fallback": _("friend")},
            {"name": "name", "label": _("Whole name"), "fallback": _("friend")},
            {"name": "city", "label": _("Town"), "fallback": _("your town")},
            {"name": "region", "label": _("Region"), "fallback": _("your region")},
        ],
    }
