"""Segments: the rule compiled to SQL selects the people that the same rule, read in plain Python, selects."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.common.errors import BadRule
from subscribers.attribute_rules import clean_attributes
from subscribers.models import Segment, Subscriber, Topic
from subscribers.people.locations import Location, get_location_row
from subscribers.places.towns import distance_km
from subscribers.segments.attributes import write_attributes
from subscribers.segments.compile import check_rule, compile_rule
from subscribers.segments.count import count_people
from subscribers.segments.labels import describe_rule, explain_membership
from tests.support.people import NOW, make_list, make_person, subscribe

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]

_PLACES = [
    {"country": "GB", "region": "GB-ENG", "town": "London", "latitude": 51.51, "longitude": -0.13},
    {"country": "GB", "region": "GB-ENG", "town": "Reading", "latitude": 51.46, "longitude": -0.97},
    {"country": "GB", "region": "GB-SCT", "town": "Glasgow", "latitude": 55.87, "longitude": -4.26},
    {"country": "US", "region": "US-TX", "town": "Houston", "latitude": 29.76, "longitude": -95.37},
    {"country": "FJ", "town": "Labasa", "latitude": -16.42, "longitude": 179.38},
    {"country": "GB"},
    {},
]
_SPOTS = {"London, GB": (51.50853, -0.12574), "Glasgow, GB": (55.86515, -4.25763)}
_LEAVES = st.one_of(
    st.sampled_from(["weekly", "events"]).map(lambda slug: {"list": slug}),
    st.sampled_from(["trafficking", "land"]).map(lambda slug: {"topic": slug}),
    st.sampled_from(["GB", "GB-ENG", "US-TX", "FJ"]).map(lambda code: {"region": code}),
    st.sampled_from(["GB", "US"]).map(lambda code: {"country": code}),
    st.sampled_from(["en", "en-GB", "fr"]).map(lambda code: {"language": code}),
    st.sampled_from(["none", "donor", "monthly"]).map(lambda word: {"giving": word}),
    st.sampled_from(["fair", "web"]).map(lambda word: {"source": word}),
    st.sampled_from(["2026-03-01", "2026-03-05", "2026-03-06"]).map(lambda day: {"joined_after": day}),
    st.sampled_from(["2026-03-01", "2026-03-05", "2026-03-06"]).map(lambda day: {"joined_before": day}),
    st.sampled_from(["Gold", "GOLD", "silver", "straße"]).map(lambda word: {"attribute": "membership", "is": word}),
    st.sampled_from([["gold", "Silver"], ["STRASSE"]]).map(lambda words: {"attribute": "Membership", "one_of": words}),
    st.booleans().map(lambda there: {"attribute": "shirt", "is_set": there}),
    st.builds(lambda spot, km: {"near": spot, "km": km}, st.sampled_from(list(_SPOTS)), st.sampled_from([5, 80, 900])),
)
_RULES = st.recursive(
    _LEAVES,
    lambda rules: st.builds(
        lambda kind, parts: {kind: parts},
        st.sampled_from(["all", "any", "none"]),
        st.lists(rules, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


@pytest.fixture
def crowd() -> list[Subscriber]:
    lists = [make_list("weekly"), make_list("events")]
    topics = [Topic.objects.create(slug=slug, name=slug.title()) for slug in ("trafficking", "land")]
    places = [get_location_row(Location(**fields)) for fields in _PLACES]
    for number in range(28):
        person = make_person(
            f"person{number}@example.org",
            place=places[number % 7],
            language=["", "en", "en-GB", "fr", "EN"][number % 5],
            giving=["none", "donor", "monthly"][number % 3],
            source=["", "fair", "Web"][number % 3 - 1],
            created_at=NOW + timedelta(days=number % 4 - 2),
        )
        for place, mailing_list in enumerate(lists):
            if (number + place) % 3 == 0:
                subscribe(person, mailing_list)
            elif (number + place) % 3 == 1:
                subscribe(person, mailing_list, basis="consent_double_opt_in")
            elif number % 2:
                subscribe(person, mailing_list, ended_at=NOW, end_reason="unsubscribe")
        person.topics.set([topic for place, topic in enumerate(topics) if (number >> place) & 1])
        membership = ["", "Gold", "gold", "Silver", "Straße"][number % 5]
        write_attributes([(person.pk, clean_attributes({"membership": membership, "shirt": "M" * (number % 2)})[0])])
    people = Subscriber.objects.select_related("place").prefetch_related(
        "topics", "subscriptions__mailing_list", "attributes"
    )
    return list(people)


def matches(rule: dict, person: Subscriber) -> bool:
    """The same rule, read without a database."""
    place = person.place
    match rule:
        case {"all": parts}:
            return all(matches(part, person) for part in parts)
        case {"any": parts}:
            return any(matches(part, person) for part in parts)
        case {"none": parts}:
            return not any(matches(part, person) for part in parts)
        case {"list": slug}:
            return any(one.mailing_list.slug == slug and not one.ended_at for one in person.subscriptions.all())
        case {"topic": slug}:
            return slug in {topic.slug for topic in person.topics.all()}
        case {"region": code}:
            return place is not None and code in (place.region, place.country)
        case {"country": code}:
            return place is not None and place.country == code
        case {"language": code}:
            spoken = person.language.lower()
            return spoken == code.lower() or spoken.startswith(f"{code.lower()}-")
        case {"giving": word}:
            return person.giving == word
        case {"source": word}:
            return person.source.lower() == word
        case {"joined_after": day}:
            return person.created_at >= datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
        case {"joined_before": day}:
            return person.created_at < datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
        case {"attribute": name}:
            held = [one.value for one in person.attributes.all() if one.key == name.lower()]
            if "is_set" in rule:
                return bool(held) == rule["is_set"]
            wanted = {word.casefold() for word in rule.get("one_of", [rule.get("is", "")])}
            return bool(held) and held[0].casefold() in wanted
        case {"near": spot, "km": km}:
            if place is None or place.latitude is None or place.longitude is None:
                return False
            return distance_km(*_SPOTS[spot], place.latitude, place.longitude) <= km
    raise AssertionError(rule)


@given(rule=_RULES)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.requirement("G8")
def test_sql_and_plain_python_agree_on_every_rule(crowd: list[Subscriber], rule: dict) -> None:
    """A rule is data; nobody writes SQL."""
    selected = set(Subscriber.objects.filter(compile_rule(rule)).values_list("pk", flat=True))
    assert selected == {person.pk for person in crowd if matches(rule, person)}
    assert count_people(rule) == len(selected)
    assert describe_rule(rule)


def test_an_empty_rule_selects_everyone(crowd: list[Subscriber]) -> None:
    assert count_people({}) == len(crowd)
    assert describe_rule({}) == "everyone"


def test_near_works_across_the_date_line() -> None:
    make_person(place=get_location_row(Location(country="FJ", town="Far side", latitude=-16.8, longitude=-179.9)))
    make_person(
        "bea@example.org", place=get_location_row(Location(country="GB", town="London", latitude=51.5, longitude=-0.1))
    )
    assert count_people({"near": "Labasa, Fiji", "km": 150}) == 1


def test_a_rule_is_explained_in_words() -> None:
    make_list("weekly", name="Weekly")
    Topic.objects.create(slug="land", name="Land rights")
    rule = {
        "all": [
            {"list": "weekly"},
            {"near": "London, GB", "km": 80},
            {"any": [{"topic": "land"}, {"giving": "monthly"}]},
            {"none": [{"language": "fr"}]},
        ]
    }
    assert describe_rule(rule) == (
        "on the list Weekly and within 80 km of London, GB"
        " and (interested in Land rights or gives monthly) and not reads French"
    )
    assert describe_rule({"none": [{"country": "US"}, {"region": "GB"}, {"source": "fair"}]}) == (
        "not (in United States or in United Kingdom or came from “fair”)"
    )
    assert describe_rule({"all": [{"joined_after": "2026-01-01"}, {"joined_before": "2026-02-01"}]}) == (
        "joined on or after 1 Jan 2026 and joined before 1 Feb 2026"
    )


def test_a_rule_is_explained_in_the_language_of_the_desk() -> None:
    with translation.override("es"):
        assert describe_rule({"language": "fr"}) == "lee francés"
        assert describe_rule({"language": "en-GB"}) == "lee inglés (Reino Unido)"
        assert describe_rule({"joined_before": "2026-02-01"}) == "entró antes del 1 feb 2026"
        assert explain_membership({}, person=make_person()).text == "todo el mundo"


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"list": "weekley"}, "rule.list: there is no list “weekley”. Did you mean “weekly”?"),
        ({"topic": "zzz"}, "Create it first, or name another."),
        ({"region": "GB-XXX"}, "rule.region:"),
        ({"region": "XX"}, "rule.region:"),
        ({"country": "Narnia"}, "rule.country:"),
        ({"all": [{"near": "Springfield", "km": 10}]}, "rule.all[1].near:"),
        ({"near": "Xyzzyville", "km": 10}, "rule.near:"),
    ],
)
def test_unknown_parts_of_a_rule_are_named(rule: dict, says: str) -> None:
    make_list("weekly")
    with pytest.raises(BadRule) as refusal:
        check_rule(rule)
    assert says in str(refusal.value)


def test_a_segment_with_a_bad_rule_is_refused_by_its_form_validation() -> None:
    with pytest.raises(ValidationError, match="Did you mean “region”"):
        Segment(slug="x", name="X", rule={"regoin": "GB"}).full_clean()
    Segment(slug="x", name="X", rule={"region": "GB"}).full_clean()
