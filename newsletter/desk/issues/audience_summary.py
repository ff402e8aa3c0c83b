"""Who would get an issue, in numbers: by mail, by region, who gets nothing and why, and what changed since the last one."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.desk.shell.labels import label_exclusions
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.recipient_groups import (
    RecipientGroup,
    choose_visible_for_group,
    count_final_audience,
    find_groups,
    find_locations,
)
from newsletter.models import Issue, ReaderGroup, Send
from subscribers.places.regions import country_label, country_of, region_label

MAX_REGIONS_SHOWN = 15
UNKNOWN_REGION = ""


@dataclass(frozen=True)
class RegionCount:
    """People of one region (ISO 3166-2), of a country without one, or of nowhere known; ``before``: in the last issue."""

    code: str
    name: str
    people: int
    before: int | None

    @property
    def change(self) -> int:
        return self.people - (self.before or 0)


@dataclass(frozen=True)
class ExclusionCount:
    """Why people get nothing. ``before`` is how many they were in the last issue, None where there was none."""

    words: str
    people: int
    before: int | None


@dataclass(frozen=True)
class AudienceSummary:
    """``candidates`` = ``recipients`` + the sum of ``excluded``. ``last`` is the issue that is compared with."""

    candidates: int
    recipients: int
    recipients_before: int | None
    excluded: list[ExclusionCount]
    regions: list[RegionCount]
    more_regions: int
    last: Issue | None


def summarise_audience(issue: Issue, *, content: IssueContent, now: datetime) -> AudienceSummary:
    """The audience as it is at ``now``."""
    counted = count_final_audience(issue, content=content, now=now)
    groups = find_groups(issue, now=now)
    locations = find_locations(group.place_id for group in groups)
    getting = [
        group for group in groups if not choose_visible_for_group(content, group=group, locations=locations).is_empty
    ]
    last = find_last_send(issue)
    regions = compare_regions(count_regions(getting), last)
    return AudienceSummary(
        candidates=counted.candidates,
        recipients=counted.eligible,
        recipients_before=last.recipients if last else None,
        excluded=compare_reasons(counted.excluded, last),
        regions=regions[:MAX_REGIONS_SHOWN],
        more_regions=sum(region.people for region in regions[MAX_REGIONS_SHOWN:]),
        last=last.issue if last else None,
    )


def find_last_send(issue: Issue) -> Send | None:
    """The send of the issue of this kind before this one."""
    sends = Send.objects.exclude(state=Send.State.CANCELLED).filter(
        issue__publication=issue.publication, issue__kind=issue.kind, issue__number__lt=issue.number, recipients__gt=0
    )
    return sends.select_related("issue__publication").order_by("-issue__number").first()


def count_regions(groups: Iterable[RecipientGroup]) -> Counter[str]:
    """People by ISO 3166-2 code, by country where no region is known, by "" where nothing is."""
    groups = list(groups)
    locations = find_locations(group.place_id for group in groups)
    people: Counter[str] = Counter()
    for group in groups:
        where = locations.get(group.place_id)
        people[(where.region or where.country) if where else UNKNOWN_REGION] += group.people
    return people


def compare_regions(people: Counter[str], last: Send | None) -> list[RegionCount]:
    """The regions with most people first, those of nobody now but of somebody before too."""
    before: Counter[str] | None = None
    if last is not None:
        rows = ReaderGroup.objects.filter(revision=last.revision_id, variant__isnull=False)
        before = count_regions(
            RecipientGroup(place_id=row.place_id, giving=row.giving, people=row.people) for row in rows if row.people
        )
    codes = sorted({*people, *(before or ())}, key=lambda code: (-people[code], code))
    return [
        RegionCount(
            code=code, name=label_area(code), people=people[code], before=before[code] if before is not None else None
        )
        for code in codes
    ]


def compare_reasons(excluded: dict[str, int], last: Send | None) -> list[ExclusionCount]:
    before = last.excluded if last else {}
    words = dict.fromkeys([*excluded, *before])
    found = [
        ExclusionCount(
            words=label_exclusions({reason: 1})[0][1],
            people=excluded.get(reason, 0),
            before=before.get(reason, 0) if last else None,
        )
        for reason in words
    ]
    return sorted(found, key=lambda reason: -reason.people)


def label_area(code: str) -> str:
    """A region's or a country's name; words for no place at all."""
    if code == UNKNOWN_REGION:
        return _("Place unknown")
    language = get_language() or "en"
    country = country_label(country_of(code), language=language)
    return f"{region_label(code, language=language)}, {country}" if "-" in code else country
