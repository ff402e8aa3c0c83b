"""The audience of an issue in numbers: recipients, exclusions and regions, each compared with the previous issue."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.desk.shell.labels import label_exclusion
from newsletter.issues.variants.recipient_groups import GroupVisibility, RecipientGroup
from newsletter.issues.visible.nearby_events import find_locations
from newsletter.models import Issue, ReaderGroup, Send
from subscribers.audience.counting import AudienceCount
from subscribers.places.regions import country_label, country_of, region_label

MAX_REGIONS_SHOWN = 15
UNKNOWN_REGION = ""


@dataclass(frozen=True)
class RegionCount:
    """The people of one region (ISO 3166-2), of a country without a known region, or of an unknown location.

    ``before`` counts them in the previous issue.
    """

    code: str
    name: str
    people: int
    before: int | None

    @property
    def change(self) -> int:
        return self.people - (self.before or 0)


@dataclass(frozen=True)
class ExclusionCount:
    """The number of people whom one reason excludes. ``before`` is their number in the previous issue, None without one."""

    label: str
    people: int
    before: int | None


@dataclass(frozen=True)
class AudienceSummary:
    """``candidates`` = ``recipients`` + the sum of ``excluded``. ``last`` is the previous issue that was sent."""

    candidates: int
    recipients: int
    recipients_before: int | None
    excluded: list[ExclusionCount]
    regions: list[RegionCount]
    more_regions: int
    last: Issue | None


def summarise_audience(
    issue: Issue, *, groups: Sequence[RecipientGroup], visibility: GroupVisibility, counted: AudienceCount
) -> AudienceSummary:
    """Return the audience that was ``counted``, with the regions of its ``groups``."""
    included = [group for group in groups if not visibility.choose(group).is_empty]
    last = find_last_send(issue)
    regions = compare_regions(count_regions(included), last)
    return AudienceSummary(
        candidates=counted.candidates,
        recipients=counted.eligible,
        recipients_before=last.recipients if last else None,
        excluded=compare_exclusions(counted.excluded, last),
        regions=regions[:MAX_REGIONS_SHOWN],
        more_regions=sum(region.people for region in regions[MAX_REGIONS_SHOWN:]),
        last=last.issue if last else None,
    )


def find_last_send(issue: Issue) -> Send | None:
    """Return the send of the previous issue of this kind, or None."""
    sends = Send.objects.exclude(state=Send.State.CANCELLED).filter(
        issue__publication=issue.publication, issue__kind=issue.kind, issue__number__lt=issue.number, recipients__gt=0
    )
    return sends.select_related("issue__publication").order_by("-issue__number").first()


def count_regions(groups: Iterable[RecipientGroup]) -> Counter[str]:
    """Count people by ISO 3166-2 code, by country if no region is known, and by "" if nothing is known."""
    groups = list(groups)
    locations = find_locations(group.place_id for group in groups)
    people: Counter[str] = Counter()
    for group in groups:
        location = locations.get(group.place_id)
        people[(location.region or location.country) if location else UNKNOWN_REGION] += group.people
    return people


def compare_regions(people: Counter[str], last: Send | None) -> list[RegionCount]:
    """Return the regions of this issue and of the last send, those with most people now first."""
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


def compare_exclusions(excluded: dict[str, int], last: Send | None) -> list[ExclusionCount]:
    before = last.excluded if last else {}
    counts = [
        ExclusionCount(
            label=label_exclusion(code),
            people=excluded.get(code, 0),
            before=before.get(code, 0) if last else None,
        )
        for code in dict.fromkeys([*excluded, *before])
    ]
    return sorted(counts, key=lambda count: -count.people)


def label_area(code: str) -> str:
    """Return the name of a region, a country, or the unknown location."""
    if code == UNKNOWN_REGION:
        return _("Unknown location")
    language = get_language() or "en"
    country = country_label(country_of(code), language=language)
    return f"{region_label(code, language=language)}, {country}" if "-" in code else country
