"""The desk's search finds content whatever language somebody works in when it is saved."""

import pytest
from django.utils import translation
from wagtail.search.backends import get_search_backend

from newsletter.models import EventNotice, Story
from tests.support.fixtures import LONDON, make_event, make_story

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.mark.parametrize("language", ["en", "es"])
def test_content_saved_in_any_language_of_the_desk_is_found(language: str) -> None:
    with translation.override(language):
        story, event = make_story("The heron verdict"), make_event("Vigil of herons", where=LONDON)
    found = get_search_backend()
    assert list(found.search("verdict", Story)) == [story]
    assert list(found.search("vigil", EventNotice)) == [event]
    assert list(found.autocomplete("ver", Story)) == [story]
    assert list(found.autocomplete("vig", EventNotice)) == [event]
