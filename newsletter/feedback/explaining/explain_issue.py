"""Explain if and when one person gets an issue, or got it, and why they get each of its parts. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.common.errors import BadRule
from newsletter.common.languages import find_offered_language
from newsletter.common.messages import Message
from newsletter.feedback.explaining.explain_exclusion import explain_left_out, was_frozen
from newsletter.feedback.explaining.explain_welcome import explain_step
from newsletter.feedback.explaining.find_delivery import find_delivery
from newsletter.feedback.sent_mails import describe_delivery, was_handed_over
from newsletter.issues.checks.languages import name_language
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.issues.variants.audience_rules import find_named_ids, select_people
from newsletter.issues.variants.explain_content import ContentReason, explain_content
from newsletter.issues.variants.mail_budget import find_over_budget
from newsletter.issues.variants.reader_zones import find_local_time
from newsletter.issues.variants.recipient_groups import (
    GROUP_KEY,
    GroupVisibility,
    RecipientGroup,
    find_group_of,
    find_own_group,
    make_stored_group,
)
from newsletter.issues.visible.choose_visible import list_repeated
from newsletter.issues.visible.interests import NOTHING_CHOSEN, list_topic_stories
from newsletter.issues.visible.variant_labels import describe_visible
from newsletter.issues.visible.visible_content import Fallback
from newsletter.models import Batch, Delivery, Issue
from subscribers.audience.eligibility import explain_ineligible
from subscribers.audience.zones import find_zone_of
from subscribers.models import Subscriber


@dataclass(frozen=True)
class IssueExplanation:
    """``outcome`` says if the person gets or got the mail, ``version`` in which version. No ``reasons`` if there is none.

    ``language`` says in which language they get it and why, if the issue is in several. ``was_handed_over``: the provider
    has, or may have, their mail.
    """

    issue: Issue
    outcome: str
    version: str
    reasons: list[ContentReason]
    language: str = ""
    was_handed_over: bool = False


def explain_issue(issue: Issue, *, person: Subscriber, now: datetime) -> IssueExplanation:
    """Explain a sent issue by the data of its send, any other by the data of now.

    Raises NotReady if a block of an issue that was not sent is unfinished.
    """
    delivery = find_delivery(issue, person=person.pk)
    if delivery is not None:
        explained = _explain_delivery(issue, delivery, person=person)
        return replace(explained, was_handed_over=was_handed_over(delivery))
    if issue.is_welcome:
        return IssueExplanation(issue, explain_step(issue, person=person), "", [])
    if was_frozen(issue):
        return IssueExplanation(issue, explain_left_out(issue, person=person), "", [])
    content = _find_content(issue)
    people = select_people(issue)
    why_not = explain_ineligible(
        person,
        mailing_list=people["mailing_list"],
        segment=people.get("segment"),
        now=now,
        frequencies=people["frequencies"],
        over_budget=find_over_budget(issue, now=now),
        charitable=issue.is_charitable,
    )
    named_ids = find_named_ids(issue)
    if not why_not and named_ids is not None and not named_ids.filter(subscriber_id=person.pk).exists():
        why_not = (
            Message("It goes only to people who got what it corrects.")
            if issue.kind == Issue.Kind.CORRECTION
            else Message("It goes only to people whom the cancelled send did not reach.")
        )
    if why_not:
        return IssueExplanation(issue, Message("Not a recipient. %(why_not)s", why_not=why_not), "", [])
    group = find_group_of(person, issue=issue, content=content, now=now)
    return _explain_group(issue, content, group, person=person, outcome=_find_outcome(issue, person=person))


def _find_outcome(issue: Issue, *, person: Subscriber) -> str:
    if issue.state == Issue.State.CANCELLED:
        return Message("Nobody gets it: it was cancelled.")
    local_time = find_local_time(issue)
    if local_time:
        zone = find_zone_of(person, default="")
        if zone:
            return Message("They get it at %(time)s by their own clock (%(zone)s).", time=local_time[-5:], zone=zone)
        return Message(
            "They get it at %(time)s by the clock of the publication (%(zone)s), because we do not know their time zone.",
            time=local_time[-5:],
            zone=issue.publication.zone,
        )
    return Message("They get it when it is sent.")


def _find_content(issue: Issue) -> IssueContent:
    send = issue.sends.exclude(revision=None).select_related("revision").order_by("-pk").first()
    return IssueContent.from_json(send.revision.content) if send and send.revision else resolve_complete_content(issue)


def _explain_delivery(issue: Issue, delivery: Delivery, *, person: Subscriber) -> IssueExplanation:
    """Explain by that group of the version that the person got which has the most in common with them."""
    variant = delivery.batch.variant
    groups = [make_stored_group(row) for row in variant.groups.order_by("-people", "pk")]
    outcome = explain_hour(delivery, person=person, outcome=describe_delivery(delivery))
    if not groups:
        return IssueExplanation(issue, outcome, variant.label, [])
    content = IssueContent.from_json(variant.revision.content)
    group = _find_likeliest(groups, issue=issue, content=content, person=person)
    return _explain_group(issue, content, group, person=person, outcome=outcome)


def _find_likeliest(
    groups: Sequence[RecipientGroup], *, issue: Issue, content: IssueContent, person: Subscriber
) -> RecipientGroup:
    """Return the group that differs least from the person's own, as it is now. What they had before changes least."""
    try:
        group_of_person = find_own_group(person, issue=issue, content=content)
    except BadRule:  # a segment of a block was deleted
        group_of_person = RecipientGroup(place_id=person.place_id or 0, giving=person.giving, people=1)

    def count_differences(group: RecipientGroup) -> tuple[bool, int, bool]:
        differing = [name for name in GROUP_KEY if getattr(group, name) != getattr(group_of_person, name)]
        return "seen" in differing, len(differing), "place_id" in differing

    return min(groups, key=count_differences)


def _explain_group(
    issue: Issue, content: IssueContent, group: RecipientGroup, *, person: Subscriber, outcome: str
) -> IssueExplanation:
    visibility, language = GroupVisibility(content, groups=[group]), _explain_language(content, group, person=person)
    if group.fallback < Fallback.LANGUAGE:
        content = content.in_language(group.language)
    visible = visibility.choose(group)
    stories = list_topic_stories(content) if group.interests != NOTHING_CHOSEN else []
    reasons = explain_content(
        content,
        visible=visible,
        location=visibility.find_location(group),
        radius_km=group.radius_km,
        matching={story.id for bit, story in enumerate(stories) if group.interests >> bit & 1},
        repeated=list_repeated(content, seen=group.seen),
        fallback=group.fallback,
    )
    version = describe_visible(visible)
    if visible.is_empty:
        return IssueExplanation(issue, version, "", reasons)
    return IssueExplanation(issue, outcome, version, reasons, language)


def _explain_language(content: IssueContent, group: RecipientGroup, *, person: Subscriber) -> str:
    """Return the language of a person's version and the reason, or "" if the publication has only one."""
    usual_language = content.publication.language
    if not (content.versions or content.publication.languages):
        return ""
    if group.language and group.fallback >= Fallback.LANGUAGE:
        return Message(
            "%(language)s: they read %(read)s, but too few people do for a version of its own.",
            language=name_language(usual_language),
            read=name_language(person.language),
        )
    if group.language:
        return Message(
            "%(language)s: they read %(read)s.",
            language=name_language(group.language),
            read=name_language(person.language),
        )
    if not person.language:
        return Message("%(language)s: nobody knows which language they read.", language=name_language(usual_language))
    if find_offered_language(person.language) == find_offered_language(usual_language):
        return Message("%(language)s: they read it.", language=name_language(usual_language))
    if find_offered_language(person.language) in content.publication.languages:
        return Message(
            "%(language)s: they read %(read)s, but nothing in this issue is in that language.",
            language=name_language(usual_language),
            read=name_language(person.language),
        )
    return Message(
        "%(language)s: they read %(read)s, which is no language of the publication.",
        language=name_language(usual_language),
        read=name_language(person.language),
    )


def explain_hour(delivery: Delivery, *, person: Subscriber, outcome: str) -> str:
    """Return the outcome with the hour that was fixed for a mail still to be sent. Others keep their outcome."""
    batch = delivery.batch
    zones = _find_zones(batch)
    if not zones or batch.state not in Batch.OPEN_STATES:
        return outcome
    own_zone = find_zone_of(person, default="")
    return Message(
        "%(outcome)s. Their hour was fixed when the send began: %(time)s in %(places)s.",
        outcome=outcome,
        time=batch.send.local_time[-5:],
        places=", ".join(_name_town(zone) for zone in ([own_zone] if own_zone in zones else zones)),
    )


def _find_zones(batch: Batch) -> list[str]:
    """Return the zones of the batch's hour, or none if everybody gets the issue at once."""
    for hour in batch.send.hours:
        if batch.due_at is not None and datetime.fromisoformat(hour["at"]) == batch.due_at:
            return list(hour["zones"])
    return []


def _name_town(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")
