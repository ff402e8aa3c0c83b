"""The words that the desk says about an import's numbers."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from newsletter.common.translation import translate
from subscribers.importing.reading.column_mapping import ATTRIBUTE, FIELDS
from subscribers.importing.reading.parsed_rows import REFUSAL_LABELS, RefusalKind
from subscribers.importing.writing.report import OUTCOME_LABELS
from subscribers.importing.writing.undo import count_undone
from subscribers.models import ImportBatch

_UNDONE = {
    "removed": ngettext_lazy("person removed who had come in with it", "people removed who had come in with it"),
    "ended": ngettext_lazy(
        "person taken off the list again who was known before", "people taken off the list again who were known before"
    ),
    "stayed": ngettext_lazy(
        "person stays: since then they confirmed, chose or left something themselves",
        "people stay: since then they confirmed, chose or left something themselves",
    ),
    "lifted": ngettext_lazy(
        "address may be mailed again that it had marked", "addresses may be mailed again that it had marked"
    ),
    "kept": ngettext_lazy(
        "address stays marked: something else happened to it since",
        "addresses stay marked: something else happened to them since",
    ),
}


def label_outcomes(found: Mapping[str, Any]) -> list[tuple[int, str]]:
    """How many lines had which outcome, without those that none had."""
    return [(int(found.get(name, 0)), words) for name, words in OUTCOME_LABELS.items() if found.get(name)]


def label_refusal_reasons(found: Mapping[str, Any]) -> list[tuple[int, str]]:
    """How many lines were refused why, the most frequent first."""
    reasons = found.get("reasons", {})
    return [
        (lines, REFUSAL_LABELS[RefusalKind(kind)]) for kind, lines in sorted(reasons.items(), key=lambda item: -item[1])
    ]


def label_undone(batch: ImportBatch) -> list[tuple[int, str]]:
    counts = count_undone(batch)
    return [(counts[name], words % counts[name]) for name, words in _UNDONE.items() if counts[name]]


def describe_columns(batch: ImportBatch) -> list[tuple[str, str]]:
    """What each used column is."""
    return [(name, _label_target(target)) for name, target in zip(batch.header, batch.mapping, strict=True) if target]


def _label_target(target: str) -> str:
    return translate(FIELDS.get(target, "")) or _("attribute “%(removeprefix)s”") % {
        "removeprefix": target.removeprefix(ATTRIBUTE)
    }
