"""Beside subject and preheader: how the row looks in an inbox, how long both are, and the personal fields to put in."""

from typing import Any

from django.utils.translation import gettext as _

from newsletter.models import Issue

SUBJECT_SHOWN, PREHEADER_LEAST, PREHEADER_MOST = 60, 40, 110


def say_inbox(issue: Issue) -> dict[str, Any]:
    """What the panel's template needs; the words themselves are read from the form while they are typed."""
    return {
        "sender": issue.publication.from_name,
        "subject_shown": SUBJECT_SHOWN,
        "least": PREHEADER_LEAST,
        "most": PREHEADER_MOST,
        "fields": [
            {"name": "first_name", "label": _("First name"), "fallback": _("friend")},
            {"name": "name", "label": _("Whole name"), "fallback": _("friend")},
            {"name": "city", "label": _("Town"), "fallback": _("your town")},
            {"name": "region", "label": _("Region"), "fallback": _("your region")},
        ],
    }
