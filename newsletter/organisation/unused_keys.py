"""Keys of the organisation file that are kept and change nothing yet. They stay valid, and `apply` names them."""

from collections.abc import Iterator

from newsletter.common.errors import BadRule
from newsletter.organisation.read_file import entry_label
from newsletter.organisation.schema import ListEntry, OrganisationFile, SegmentEntry
from subscribers.segments.registry import read_rule
from subscribers.segments.rules import Condition, list_conditions

_ALSO = {
    "topic": " or a publication of the list has interests",
    "language": " or a publication of the list has further languages",
}


def list_keys_without_effect(organisation: OrganisationFile) -> list[str]:
    """Return one line for each key of the file that has no effect yet, with the reason."""
    return [note for mailing_list in organisation.lists for note in _check_list(mailing_list, organisation)]


def _check_list(entry: ListEntry, organisation: OrganisationFile) -> Iterator[str]:
    used = {condition.key for segment in organisation.segments for condition in _conditions(segment)}
    if any(one.mailing_list == entry.slug and one.interests != "off" for one in organisation.publications):
        used.add("topic")
    if any(one.mailing_list == entry.slug and one.languages for one in organisation.publications):
        used.add("language")
    for question, key in (("topics", "topic"), ("language", "language")):
        if question in entry.ask and key not in used:
            yield (
                f'{entry_label("list", entry.slug)}: ask = ["{question}"] has no effect until a segment selects by {key}'
                f"{_ALSO.get(key, '')}, so people are not asked."
            )


def _conditions(entry: SegmentEntry) -> list[Condition]:
    try:
        return list_conditions(read_rule(entry.rule))
    except BadRule:
        return []
