"""The topic above a story's headline."""

import pytest

from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Publication
from subscribers.models import Topic
from tests.support.fixtures import make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("language", "shown"), [("es", "Tierra"), ("en", "Land rights"), ("fr", "Land rights")])
def test_a_story_names_its_topic_in_the_language_of_the_publication(language, shown):
    publication = make_publication()
    Publication.objects.update(language=language)
    publication.refresh_from_db()
    make_story("The first verdict", language=language).topics.add(
        Topic.objects.create(slug="land", name="Land rights", names={"es": "Tierra"})
    )
    content = resolve_content(make_issue(publication))
    assert [story.topic for story in content.stories] == [shown]
