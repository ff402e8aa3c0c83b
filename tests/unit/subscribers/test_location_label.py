"""The words for a subscriber's location, on the pages of staff and readers."""

import pytest
from django.utils import translation

from subscribers.models import SubscriberLocation


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"town": "Madrid", "region": "ES-MD", "country": "ES"}, "Madrid, Spain"),
        ({"town": "Houston", "region": "US-TX", "country": "US"}, "Houston, Texas, United States"),
        ({"town": "Luxembourg", "country": "LU"}, "Luxembourg"),
    ],
)
def test_a_location_names_nothing_twice(facts: dict[str, str], words: str) -> None:
    with translation.override("en"):
        assert str(SubscriberLocation(**facts)) == words
