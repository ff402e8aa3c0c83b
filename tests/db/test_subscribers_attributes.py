"""Custom attributes: one spelling each, one row a value, kept within limits, for one person or for a million."""

import pytest
from django.db import IntegrityError, transaction

from subscribers.attribute_rules import MAX_ATTRIBUTES_PER_PERSON, MAX_VALUE_LENGTH, clean_attributes
from subscribers.models import SubscriberAttribute
from subscribers.people.describe_person import describe_person
from subscribers.segments.attributes import (
    attribute_keys,
    read_attributes,
    read_attributes_by_person,
    write_attributes,
)
from tests.support.people import NOW, make_person

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def test_a_name_has_one_spelling_and_a_value_is_one_clean_line() -> None:
    clean, notes = clean_attributes({"Member since": " 2019\n", "MEMBER_SINCE": "2020", "Größe!": "groß", "note": " "})
    assert clean == {"member_since": "2019", "größe": "groß"}
    assert notes == ["The extra field member_since occurs more than once. The first value was kept."]


def test_values_that_cannot_be_kept_are_reported_the_rest_is_kept() -> None:
    long = "x" * (MAX_VALUE_LENGTH + 1)
    clean, notes = clean_attributes({"?!": "a", "motto": long})
    assert clean == {"motto": long[:-1]}
    assert "needs a letter or digit" in notes[0]
    assert "cut to 300 characters" in notes[1]
    clean, notes = clean_attributes({f"k{number}": "v" for number in range(MAX_ATTRIBUTES_PER_PERSON + 2)})
    assert len(clean) == MAX_ATTRIBUTES_PER_PERSON
    assert len(notes) == 1


def test_setting_attributes_changes_only_the_named_ones() -> None:
    ada = make_person()
    assert write_attributes([(ada.pk, {"membership": "Gold", "shirt": "M"})]) == {ada.pk}
    assert write_attributes([(ada.pk, {"membership": "Gold"})]) == set()
    assert write_attributes([(ada.pk, {"membership": "Silver", "branch": "Leeds"})]) == {ada.pk}
    assert read_attributes(ada) == {"branch": "Leeds", "membership": "Silver", "shirt": "M"}
    assert describe_person(ada, now=NOW)["attributes"] == {"branch": "Leeds", "membership": "Silver", "shirt": "M"}


def test_many_people_are_written_at_once_and_those_who_changed_are_named() -> None:
    people = [make_person(f"person{number}@example.org") for number in range(3)]
    ids = [person.pk for person in people]
    assert write_attributes((pk, {"branch": "Leeds", "year": "2020"}) for pk in ids) == set(ids)
    assert write_attributes([(ids[0], {"branch": "Leeds"}), (ids[1], {"branch": "York"})]) == {ids[1]}
    assert write_attributes([(ids[2], {"branch": "Hull"}), (ids[2], {"branch": "Ripon"})]) == {ids[2]}
    assert write_attributes([]) == set()
    assert read_attributes_by_person(ids) == {
        ids[0]: {"branch": "Leeds", "year": "2020"},
        ids[1]: {"branch": "York", "year": "2020"},
        ids[2]: {"branch": "Ripon", "year": "2020"},
    }
    assert attribute_keys() == ["branch", "year"]


def test_the_database_itself_refuses_a_second_or_an_empty_value() -> None:
    ada = make_person()
    SubscriberAttribute.objects.create(subscriber=ada, key="branch", value="Leeds", folded="leeds")
    for key, value in (("branch", "York"), ("shirt", ""), ("", "M")):
        with pytest.raises(IntegrityError), transaction.atomic():
            SubscriberAttribute.objects.create(subscriber=ada, key=key, value=value, folded=value.lower())
