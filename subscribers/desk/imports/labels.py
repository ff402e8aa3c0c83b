"""Labels for an import's numbers and columns."""

from collections.abc import Mapping
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from newsletter.common.translation import translate
from subscribers.importing.reading.column_mapping import ATTRIBUTE, FIELDS, hide_choice
from subscribers.importing.reading.export_formats import guess_columns
from subscribers.importing.reading.mapping_proposal import ColumnChoice, list_choices
from subscribers.importing.reading.parsed_rows import REFUSAL_LABELS, RefusalKind
from subscribers.importing.writing.report import OUTCOME_LABELS
from subscribers.importing.writing.undo import count_undone
from subscribers.models import ImportBatch

_UNDONE_LABELS = {
    "removed": ngettext_lazy("person removed", "people removed"),
    "ended": ngettext_lazy("existing person taken off the list", "existing people taken off the list"),
    "stayed": ngettext_lazy(
        "person kept: they have since confirmed, changed or unsubscribed themselves, or have another subscription",
        "people kept: they have since confirmed, changed or unsubscribed themselves, or have another subscription",
    ),
    "ended_before": ngettext_lazy(
        "person was off the list already: staff or an expiry ended their subscription",
        "people were off the list already: staff or an expiry ended their subscription",
    ),
    "lifted": ngettext_lazy("suppression removed", "suppressions removed"),
    "kept": ngettext_lazy(
        "suppression kept: something else has happened to the address since",
        "suppressions kept: something else has happened to the address since",
    ),
}


def label_outcomes(counts: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Return the number of lines and the label of each outcome that some line had."""
    return [(int(counts.get(name, 0)), label) for name, label in OUTCOME_LABELS.items() if counts.get(name)]


def label_start(counts: Mapping[str, Any], *, joins: bool) -> str:
    """Return the label of the button that starts a checked import."""
    new, updated, newly_suppressed = (int(counts.get(name, 0)) for name in ("new", "updated", "newly_suppressed"))
    numbers = {"new": intcomma(new), "updated": intcomma(updated), "newly_suppressed": intcomma(newly_suppressed)}
    if not joins or (newly_suppressed and not (new or updated)):
        text = ngettext(
            "Suppress %(newly_suppressed)s address", "Suppress %(newly_suppressed)s addresses", newly_suppressed
        )
    elif new and updated:
        text = ngettext(
            "Import %(new)s person and update %(updated)s", "Import %(new)s people and update %(updated)s", new
        )
    elif updated:
        text = ngettext("Update %(updated)s person", "Update %(updated)s people", updated)
    elif new:
        text = ngettext("Import %(new)s person", "Import %(new)s people", new)
    else:
        text = _("Finish without importing anybody")
    return text % numbers


def label_refusal_reasons(counts: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Return the number of refused lines and the label of each reason, the most frequent first."""
    reasons = counts.get("reasons", {})
    return [
        (lines, REFUSAL_LABELS[RefusalKind(kind)]) for kind, lines in sorted(reasons.items(), key=lambda item: -item[1])
    ]


def label_choices(batch: ImportBatch) -> list[str]:
    """Return a sentence for each field that several columns could be: which one was chosen."""
    choices = list_choices(batch.header, guess=guess_columns(batch.header), mapping=batch.mapping)
    return [_label_choice(choice) for choice in choices]


def _label_choice(choice: ColumnChoice) -> str:
    values = {"field": translate(FIELDS[choice.target]), "column": choice.chosen}
    if not choice.left_out:
        return _("%(field)s: the column “%(column)s” is chosen, because it holds addresses.") % values
    values["others"] = _join_names(choice.left_out)
    return _("%(field)s: the column “%(column)s” is chosen, and %(others)s left out.") % values


def _join_names(names: list[str]) -> str:
    *first, last = [_("“%(name)s”") % {"name": name} for name in names]
    return _("%(names)s and %(last)s") % {"names": ", ".join(first), "last": last} if first else last


def label_undone(batch: ImportBatch) -> list[tuple[int, str]]:
    counts = count_undone(batch)
    return [(counts[name], label % counts[name]) for name, label in _UNDONE_LABELS.items() if counts[name]]


def describe_columns(batch: ImportBatch) -> list[tuple[str, str]]:
    """Return the name and the meaning of each column that is imported."""
    return [(name, _label_target(target)) for name, target in zip(batch.header, batch.mapping, strict=True) if target]


def _label_target(target: str) -> str:
    attribute = hide_choice(target).removeprefix(ATTRIBUTE)
    return translate(FIELDS.get(target, "")) or _("Extra field “%(attribute)s”") % {"attribute": attribute}
