"""Choose the appeals of an issue by `newsletter.issues.appeal_rules`, and say why each is in it or not."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from newsletter.common.messages import Message
from newsletter.issues.appeal_rules import find_reason_against, list_by_priority
from newsletter.issues.assembly.other_versions import find_other_version
from newsletter.issues.assembly.selection import Reason
from newsletter.models import Appeal, Publication


def choose_appeals(*, publication: Publication, due_at: datetime) -> tuple[list[Appeal], list[Reason]]:
    """Return the appeals for this publication, the highest priority first, and a reason for every enabled appeal."""
    day = due_at.astimezone(ZoneInfo(publication.zone)).date()
    chosen: list[Appeal] = []
    reasons: list[Reason] = []
    for appeal in list_by_priority():
        exclusion = _find_exclusion_reason(appeal, publication=publication, day=day)
        if not exclusion:
            chosen.append(appeal)
        why = (
            Message("left out: %(reason)s", reason=exclusion)
            if exclusion
            else Message("shown to: %(appeal)s", appeal=appeal.get_audience_display().lower())
        )
        reasons.append(Reason("appeal", appeal.pk, appeal.headline, not exclusion, why))
    return chosen, reasons


def _find_exclusion_reason(appeal: Appeal, *, publication: Publication, day: date) -> str:
    against = find_reason_against(appeal, publication=publication, day=day)
    return against or find_other_version(appeal, publication=publication)
