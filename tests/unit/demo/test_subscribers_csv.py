"""The sample subscribers have reserved domains, many regions and some awkward values."""

import collections
import csv
import io

import pytest

from newsletter.demo.subscribers_csv import COLUMNS, HOSTILE_NAMES, TOPICS, write_subscribers


def read_people(**arguments):
    file = io.StringIO(newline="")
    write_subscribers(file, **arguments)
    file.seek(0)
    return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def people():
    return read_people(count=2000)


def test_columns_are_those_of_the_import_and_the_count_is_exact(people):
    assert tuple(people[0]) == COLUMNS
    assert len(people) == 2000
    assert len({person["email"] for person in people}) == 2000


def test_every_address_is_at_a_domain_reserved_for_examples(people):
    assert {person["email"].split("@")[1] for person in people} == {"example.org", "example.com", "example.net"}


def test_they_live_in_many_regions_of_several_countries(people):
    regions = collections.Counter(person["region"] for person in people if person["region"])
    assert len([region for region, count in regions.items() if count >= 10]) >= 12
    assert len({person["country"] for person in people if person["country"]}) >= 4
    assert all(region[:2] == person["country"] for person in people if (region := person["region"]))


def test_a_small_sample_also_covers_many_regions():
    assert len({person["region"] for person in read_people(count=41)}) >= 12


def test_many_live_near_events_and_some_far_from_all(people):
    towns = collections.Counter(person["city"] for person in people)
    assert towns["London"] > 150
    assert towns["Houston"] > 80
    assert towns["Honolulu"] > 0
    assert towns["Inverness"] > 0


@pytest.mark.parametrize("column", ["name", "country", "region", "city", "language"])
def test_some_people_leave_a_column_blank(people, column):
    blank = sum(not person[column] for person in people)
    assert 20 < blank < 1000


def test_only_people_who_used_the_web_form_have_topics(people):
    asked = [person for person in people if person["source"] == "web-form"]
    assert not any(person["topics"] for person in people if person not in asked)
    assert 10 < sum(not person["topics"] for person in asked) < len(asked) - 40


def test_giving_varies_and_topics_are_known(people):
    giving = collections.Counter(person["giving"] for person in people)
    assert set(giving) == {"none", "donor", "monthly"}
    assert min(giving.values()) > 150
    assert {topic for person in people for topic in person["topics"].split(";") if topic} == set(TOPICS)


def test_each_hostile_name_occurs_once(people):
    names = collections.Counter(person["name"] for person in people)
    assert all(names[name] == 1 for name in HOSTILE_NAMES)


def test_the_seed_decides_the_people():
    assert read_people(count=100) == read_people(count=100, seed=1)
    assert read_people(count=100) != read_people(count=100, seed=8)
