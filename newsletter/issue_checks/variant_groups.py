"""The versions of an issue's mail, how many recipients each has, and one of them rendered. Nothing is stored."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from django.http import Http404
from django.utils import timezone

from newsletter.common.errors import NotReady
from newsletter.issue_checks.render_cache import render_cached
from newsletter.issues.snapshot.records.content import IssueContent, hash_content
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.issues.snapshot.revisions import find_sealed_revision
from newsletter.issues.variants.dates import find_sent_day
from newsletter.issues.variants.group_keys import NOTHING_SEEN
from newsletter.issues.variants.recipient_groups import (
    GroupVisibility,
    RecipientGroup,
    choose_visible_for_group,
    find_groups,
    make_stored_group,
)
from newsletter.issues.variants.subject_assignment import NO_TEST
from newsletter.issues.visible.choose_visible import NO_RULE_MET
from newsletter.issues.visible.interests import NOTHING_CHOSEN
from newsletter.issues.visible.variant_labels import describe_visible
from newsletter.issues.visible.visible_content import Fallback, VisibleContent
from newsletter.models import Issue, Send
from newsletter.rendering.mail import RenderedMail
from subscribers.models import Frequency, Giving

_GROUP_KEY = re.compile(
    r"(?P<place>[0-9]{1,18})\.(?P<giving>\w+)"
    r"(?:\.(?P<radius>[0-9]{1,9})\.(?P<frequency>\w+)(?:\.(?P<interests>-1|[0-9]{1,18})\.(?P<seen>[0-9]{1,18})\.(?P<rules>[0-9]{1,18})"
    r"\.(?P<fallback>[0-5]))?)?"
    r"(?:\.(?P<language>[a-z]{2}))?(?:\.subject(?P<arm>-1|[1-4]))?"
)
EMPTY_GROUP = RecipientGroup(place_id=0, giving="none", people=0)


@dataclass(frozen=True)
class VariantGroup:
    """Recipients of the same mail. ``name`` is the key of their largest group, as used in links.

    ``fallbacks`` counts those of the ``people`` who are too few for a version of their own, by what they give up.
    """

    name: str
    people: int
    label: str
    visible: VisibleContent = field(repr=False)
    fallbacks: Counter[Fallback] = field(default_factory=Counter)


def find_issue_content(issue: Issue) -> IssueContent:
    """Return the issue's content, or the content that was sent.

    Raises what `resolve_complete_content` raises.
    """
    sealed = find_sealed_revision(issue)
    return IssueContent.from_json(sealed.content) if sealed else resolve_complete_content(issue)


def find_variant_groups(
    issue: Issue, *, content: IssueContent, groups: Sequence[RecipientGroup] | None = None
) -> list[VariantGroup]:
    """Return the versions of the mail, the most common first, or one version for nobody if the audience is empty.

    The audience is that of now, or that of the send once there is one. ``groups`` are its groups, if the caller has them.
    """
    groups = (_find_groups(issue, content=content) if groups is None else groups) or [EMPTY_GROUP]
    sent_on = _find_shown_day(content)
    visibility = GroupVisibility(content, groups=groups)
    first: dict[str, tuple[RecipientGroup, VisibleContent]] = {}
    people: Counter[str] = Counter()
    fallbacks: defaultdict[str, Counter[Fallback]] = defaultdict(Counter)
    for group in groups:
        visible = replace(visibility.choose(group), sent_on=sent_on)
        if not visible.is_empty:
            first.setdefault(visible.key, (group, visible))
            people[visible.key] += group.people
            if group.fallback:
                fallbacks[visible.key][group.fallback] += group.people
    if not first:
        visible = replace(visibility.choose(EMPTY_GROUP), sent_on=sent_on)
        first = {visible.key: (EMPTY_GROUP, visible)}
    variant_groups = [
        VariantGroup(
            name=group_key(group),
            people=people[key],
            label=describe_visible(visible),
            visible=visible,
            fallbacks=fallbacks[key],
        )
        for key, (group, visible) in first.items()
    ]
    return sorted(variant_groups, key=lambda group: -group.people)


def _find_shown_day(content: IssueContent) -> date | None:
    """Return the day in the masthead if it is not the day on which the issue is due: of its send, or today if it is late."""
    send = (
        Send.objects.filter(issue__public_id=content.issue.public_id, started_at__isnull=False).order_by("-pk").first()
    )
    sent_at = send.dated_at if send else None
    return find_sent_day(content, at=sent_at or max(content.issue.due_at, timezone.now()))


def _find_groups(issue: Issue, *, content: IssueContent) -> list[RecipientGroup]:
    sealed = find_sealed_revision(issue)
    if sealed is None:
        return find_groups(issue, content=content)
    rows = sealed.groups.filter(variant__isnull=False, people__gt=0).order_by("-people", "pk")
    return [make_stored_group(row) for row in rows]


def group_key(group: RecipientGroup) -> str:
    """Return a group's key for links: place and giving, such as ``12.donor``.

    Radius and frequency follow if one of them is not the default, then the other numbers if one of them is not. A language
    follows if it is not the publication's own, and the arm of a subject test if there is one.
    """
    name = f"{group.place_id}.{group.giving}"
    numbers = (group.interests, group.seen, group.rules, group.fallback)
    with_numbers = numbers != (NOTHING_CHOSEN, NOTHING_SEEN, NO_RULE_MET, Fallback.NONE)
    if group.radius_km or group.frequency != Frequency.EVERY or with_numbers:
        name += f".{group.radius_km}.{group.frequency}"
    if with_numbers:
        name += f".{group.interests}.{group.seen}.{group.rules}.{int(group.fallback)}"
    if group.language:
        name += f".{group.language}"
    if group.arm != NO_TEST:
        name += f".subject{group.arm}"
    return name


def parse_group_key(name: str) -> RecipientGroup:
    """Return the group of a key. Raises Http404 if the key is invalid."""
    match = _GROUP_KEY.fullmatch(name)
    if match is None or match["giving"] not in Giving.values or match["frequency"] not in (None, *Frequency.values):
        raise Http404("There is no such group of recipients.")
    return RecipientGroup(
        place_id=int(match["place"]),
        giving=match["giving"],
        people=0,
        radius_km=int(match["radius"] or 0),
        frequency=match["frequency"] or str(Frequency.EVERY),
        interests=NOTHING_CHOSEN if match["interests"] is None else int(match["interests"]),
        seen=int(match["seen"] or 0),
        rules=int(match["rules"] or 0),
        fallback=Fallback(int(match["fallback"] or Fallback.NONE)),
        language=match["language"] or "",
        arm=int(match["arm"] or NO_TEST),
    )


def choose_visible(content: IssueContent, *, group: RecipientGroup) -> VisibleContent:
    """Return what a group sees. Raises NotReady if it gets no mail."""
    visible = choose_visible_for_group(content, group=group)
    if visible.is_empty:
        raise NotReady(describe_visible(visible))
    return replace(visible, sent_on=_find_shown_day(content))


def render_for_group(content: IssueContent, *, group: RecipientGroup) -> RenderedMail:
    """Render the mail of a group. Raises NotReady if the group gets none."""
    visible = choose_visible(content, group=group)
    return render_cached(content, visible=visible, sha256=hash_content(content)).mail
