"""Everything that the organisation's file can say has a field in the desk."""

import pytest
from django.forms import ModelForm
from wagtail.hooks import search_for_hooks

from newsletter.desk.publications.limits_page import LimitsForm
from newsletter.models import Appeal, Brand, Publication, Source
from newsletter.organisation.schema import ENTRIES
from subscribers.models import Case, MailingList, Segment, Topic

MODELS = {
    "brand": Brand,
    "case": Case,
    "list": MailingList,
    "topic": Topic,
    "segment": Segment,
    "source": Source,
    "appeal": Appeal,
    "publication": Publication,
}
FORMS = {"limits": LimitsForm}
OTHER_NAMES = {
    "brand.logo": ["logo_file"],  # the file gives an address, the form takes an upload
    "brand.logo_dark": ["logo_dark_file"],
    "list.ask": ["ask_name", "ask_place", "ask_topics", "ask_language"],  # one box for each question
    "source.key_variable": ["key"],  # the file names the setting that holds the key, the form takes the key
    "source.every": ["every_minutes"],  # “30m” in the file, a number of minutes in the form
}
PLAIN_FIELDS = {
    "publication.schedule": ["rhythm", "weekdays", "month_day", "at"],
    "publication.digest_schedule": ["digest_day", "digest_at"],
}
"""Fields with which a schedule is given without its five cron fields."""
KEYS = [f"{kind}.{name}" for kind, entry in ENTRIES.items() for name in entry.model_fields]


def form_fields(kind: str) -> set[str]:
    search_for_hooks()
    form: type[ModelForm] = FORMS.get(kind) or MODELS[kind].snippet_viewset.get_form_class()
    return set(form.base_fields)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_of_the_file_has_a_field(key: str) -> None:
    kind, _, name = key.partition(".")
    missing = set(OTHER_NAMES.get(key, [name])) - form_fields(kind)
    assert missing == set(), f"apply accepts “{key}”. Add a field to the form, or the field's name to OTHER_NAMES."


def test_every_kind_of_the_file_has_a_form_and_no_name_is_stale() -> None:
    assert {*MODELS, *FORMS} == set(ENTRIES)
    assert {*OTHER_NAMES, *PLAIN_FIELDS} <= set(KEYS)


@pytest.mark.parametrize("key", PLAIN_FIELDS)
def test_a_schedule_has_plain_fields_beside_cron(key: str) -> None:
    assert set(PLAIN_FIELDS[key]) <= form_fields(key.partition(".")[0])
