"""Keys of the organisation file that are kept and change nothing yet. They stay valid, and `apply` names them."""

from collections.abc import Iterator

from newsletter.common.errors import BadRule
from newsletter.organisation.read_file import entry_label
from newsletter.organisation.schema import ListEntry, OrganisationFile, SegmentEntry
from subscribers.segments.registry import find_kind, read_rule
from subscribers.segments.rules import Condition, conditions


def list_keys_without_effect(organisation: OrganisationFile) -> list[str]:
    """Return one line for each key of the file that has no effect yet, with the reason."""
    return [
        *(note for mailing_list in organisation.lists for note in _check_list(mailing_list, organisation)),
        *(note for segment in organisation.segments for note in _check_segment(segment)),
        *(
            f'{entry_label("publication", one.slug)}: clicks = "readers" has no effect yet: clicks are counted as with '
            '"counts", without the person.'
            for one in organisation.publications
            if one.clicks == "readers"
        ),
    ]


def _check_list(entry: ListEntry, organisation: OrganisationFile) -> Iterator[str]:
    used = {condition.key for segment in organisation.segments for condition in _conditions(segment)}
    for question, key in (("topics", "topic"), ("language", "language")):
        if question in entry.ask and key not in used:
            yield (
                f'{entry_label("list", entry.slug)}: ask = ["{question}"] has no effect until a segment selects by {key}, so '
                "people are not asked."
            )


def _check_segment(entry: SegmentEntry) -> Iterator[str]:
    for condition in _conditions(entry):
        kind = find_kind(condition.key)
        if kind is not None and kind.no_effect_note:
            yield f"{entry_label('segment', entry.slug)}: “{condition.key}” has no effect yet: {kind.no_effect_note}."


def _conditions(entry: SegmentEntry) -> list[Condition]:
    try:
        return conditions(read_rule(entry.rule))
    except BadRule:
        return []
