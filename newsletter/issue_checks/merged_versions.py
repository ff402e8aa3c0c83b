"""Warn that an issue would have more versions than its publication allows, and say what readers of the rarest get instead."""

from collections import Counter
from collections.abc import Iterator, Sequence

from newsletter.common.messages import Message, Quantity
from newsletter.issue_checks.variant_groups import VariantGroup
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.visible.fallbacks import Fallback
from newsletter.rendering.lint.findings import Finding

CODE = "too-many-versions"


def check_version_limit(content: IssueContent, *, groups: Sequence[VariantGroup]) -> Iterator[tuple[Finding, int]]:
    """Find that versions were merged, or that merging is not enough. Each finding comes with its number of recipients."""
    limit = content.publication.max_variants
    if len(groups) > limit:
        message = Message(
            "This issue needs at least %(versions)s versions, and its publication allows %(limit)s. Raise the maximum versions "
            "of the publication.",
            versions=Quantity(len(groups)),
            limit=Quantity(limit),
        )
        yield Finding("error", CODE, message, field="publication"), sum(group.people for group in groups)
        return
    people = sum((group.fallbacks for group in groups), Counter[Fallback]())
    if people:
        sentences = [
            Message(
                "This issue would have more than %(limit)s versions, so the rarest are merged.", limit=Quantity(limit)
            ),
            *(_say_what_they_get(given, people=Quantity(people[given])) for given in sorted(people)),
            Message("To change that, raise the maximum versions of the publication, or give the stories fewer topics."),
        ]
        yield Finding("warning", CODE, Message.joined(sentences, between=" "), field="publication"), people.total()


def _say_what_they_get(fallback: Fallback, *, people: Quantity) -> Message:
    match fallback:
        case Fallback.FIRST:
            return Message(
                "People who get all stories, the first of their topics and cases at the top: %(people)s.", people=people
            )
        case Fallback.IN_ORDER:
            return Message("People who get all stories in the order of the issue: %(people)s.", people=people)
        case Fallback.FOR_ALL:
            return Message(
                "People who get the events of all places, and only the blocks for everybody: %(people)s.", people=people
            )
        case Fallback.ONE_STORY:
            return Message("People who get only the first story that they did not have: %(people)s.", people=people)
        case _:
            return Message("People who get it in the publication’s own language: %(people)s.", people=people)
