"""The label of a variant: a row stores its facts, and each reader sees the text in their own language."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from newsletter.common.messages import loads
from newsletter.common.translation import language_label, translate
from subscribers.places.regions import country_label, region_label
from subscribers.places.town_names import town_label

MAX_LENGTH = 200
LETTERS = "ABCD"
"""The names of the subjects of a test, in their order."""
LabelFacts = list[dict[str, object]]
"""The facts that identify a variant, in the order of its label. Each fact names its ``kind``:

``unwanted``, ``closed``, ``restricted`` and ``empty`` (nobody gets this mail), ``subject`` with its ``arm`` (−1:
waits), ``language`` with its code, ``only_events``, ``appeal`` and ``first`` with a ``title``, ``follows`` with the
names of ``cases``, ``hidden`` with ``stories``, ``rules`` with those that are ``met`` as stored messages, and
``events`` with their ``choice``, their ``places`` as (town, ISO 3166-2 region, ISO 3166-1 country), how many are
``close`` within ``km``, the countries of those ``abroad``, and how many are ``online``.
"""


def label_facts(facts: LabelFacts) -> str:
    """Return the label of a variant in the current language, at most `MAX_LENGTH` long."""
    label = capfirst("; ".join(map(_label_fact, facts)) or _("the same for everybody"))
    return label if len(label) <= MAX_LENGTH else label[: MAX_LENGTH - 1] + "…"


def label_subject(number: int) -> str:
    """Return the name of a subject of a test in the current language: the first is A."""
    return _("subject %(letter)s") % {"letter": LETTERS[number - 1]}


def _label_fact(fact: dict[str, Any]) -> str:
    match fact["kind"]:
        case "unwanted":
            return _("No email: no story is left for them, and there are no events")
        case "closed":
            return _("No email: no block is for them")
        case "restricted":
            return _("No email: no story may be shown where they live")
        case "empty":
            return _("No email: they want only nearby events, and there are none")
        case "subject":
            return label_subject(fact["arm"]) if fact["arm"] > 0 else _("waiting for the subject test")
        case "language":
            return _("in %(language)s") % {"language": language_label(fact["language"])}
        case "only_events":
            return _("only the events")
        case "appeal":
            return _("appeal “%(headline)s”") % {"headline": fact["title"]}
        case "first":
            return _("“%(title)s” first") % {"title": fact["title"]}
        case "hidden":
            hidden = fact["stories"]
            return ngettext("without %(hidden)s story", "without %(hidden)s stories", hidden) % {"hidden": hidden}
        case "follows":
            return _("for people who follow %(cases)s") % {"cases": ", ".join(f"“{name}”" for name in fact["cases"])}
        case "rules":
            met = [translate(loads(rules)) for rules in fact["met"]]
            return (
                _("with what is for people %(rules)s") % {"rules": "; ".join(met)}
                if met
                else _("only what everybody gets")
            )
        case _:
            return _label_events(fact)


def _label_events(fact: dict[str, Any]) -> str:
    places = ", ".join(dict.fromkeys(_label_places(fact["places"])))
    if fact["close"]:
        close = _("%(close)s within %(km)s km") % {"close": fact["close"], "km": fact["km"]}
        places += f" ({close})"
    if fact.get("abroad") and fact["choice"] == "near":
        countries = ", ".join(country_label(code, language=get_language() or "en") for code in fact["abroad"])
        places = _("%(places)s, abroad: %(countries)s") % {"places": places, "countries": countries}
    choices = {
        "near": _("events near %(named)s") % {"named": places},
        "region": _("events in the region: %(named)s") % {"named": places},
        "online": _("online events"),
        "host": _("invitation to host an event"),
        "nothing": _("no events"),
        "all": _("all events"),
    }
    label = choices[fact["choice"]]
    if fact["online"] and fact["choice"] in ("near", "region"):
        return _("%(events)s + %(online)s online") % {"events": label, "online": fact["online"]}
    return label


def _label_places(places: Sequence[Sequence[str]]) -> Iterator[str]:
    language = get_language() or "en"
    for town, region, country in places:
        around = region_label(region, language=language) if region else country_label(country, language=language)
        if name := town_label(town, country=country, language=language) or around:
            yield name
