"""Choose the appeals of an issue. Each recipient sees the first of them that is for them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from newsletter.common.messages import Message
from newsletter.issues.assembly.other_versions import find_other_version
from newsletter.issues.assembly.selection import Reason
from newsletter.models import Appeal, Publication


def choose_appeals(*, publication: Publication, due_at: datetime) -> tuple[list[Appeal], list[Reason]]:
    """Return the appeals for this publication, the highest priority first, and a reason for every enabled appeal."""
    day = due_at.astimezone(ZoneInfo(publication.zone)).date()
    chosen: list[Appeal] = []
    reasons: list[Reason] = []
    for appeal in (
        Appeal.objects.filter(enabled=True)
        .select_related("translation_of")
        .prefetch_related("publications", "translations")
    ):
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
    if not appeal.is_for(publication.pk):
        return Message("it is for other publications")
    languages = [publication.language.split("-")[0], *publication.languages]
    if appeal.language and appeal.language.split("-")[0] not in languages:
        return Message("written in another language (%(language)s)", language=appeal.language)
    if other := find_other_version(appeal, publication=publication):
        return other
    if appeal.first_day and day < appeal.first_day:
        return Message("it begins on %(day)s", day=appeal.first_day)
    if appeal.last_day and day > appeal.last_day:
        return Message("it ended on %(day)s", day=appeal.last_day)
    return ""
