"""Edits by staff during the reading of a source are kept: an image may take a minute to arrive."""

from collections.abc import Callable

import pytest

from newsletter.content.images.hosting import make_fetcher
from newsletter.content.ingesting import store_events
from newsletter.content.ingesting.store_events import store_event
from newsletter.content.ingesting.store_stories import ListedEntry, store_story
from newsletter.content.ingesting.story_images import FoundImage, StoryImageFetcher
from newsletter.content.parsing.entries import EventEntry, StoryEntry
from newsletter.models import EventNotice, Source, Story
from tests.support.fixtures import NOW, make_source

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
PAGE = "https://example.org/stories/night/"


def list_story(source: Source, title: str) -> str:
    entry = StoryEntry(external_id="night", url=PAGE, title=title, teaser=f"{title}.")
    pictures = StoryImageFetcher(source_url="https://other.example/", fetcher=make_fetcher(), now=NOW)
    return store_story(ListedEntry(source, entry), pictures=pictures, now=NOW)[0]


def list_event(source: Source, title: str) -> str:
    return store_event(source, EventEntry(external_id="e", title=title, starts_at=NOW, place="Leeds"), now=NOW)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return a function that lets staff act while the next image is fetched or the next event is located."""

    def arrange(act: Callable[[], object]) -> None:
        find, locate = StoryImageFetcher.find, store_events.locate_event

        def find_slowly(self: StoryImageFetcher, entry: StoryEntry, known: Story | None) -> FoundImage:
            found = find(self, entry, known)
            act()
            return found

        def locate_slowly(*args: object, **kwargs: object) -> object:
            located = locate(*args, **kwargs)  # type: ignore[arg-type]
            act()
            return located

        monkeypatch.setattr(StoryImageFetcher, "find", find_slowly)
        monkeypatch.setattr(store_events, "locate_event", locate_slowly)

    return arrange


def test_a_story_withdrawn_during_a_reading_stays_withdrawn(meanwhile: Callable[..., None]) -> None:
    source = make_source()
    list_story(source, "A night")
    edits = {"withdrawn_at": NOW, "title": "Ours", "edited_fields": ["title"]}
    meanwhile(lambda: Story.objects.update(**edits))
    assert list_story(source, "Another night") == "updated"
    story = Story.objects.get()
    assert (story.withdrawn_at, story.title, story.teaser) == (NOW, "Ours", "Another night.")


def test_a_story_deleted_during_a_reading_is_listed_as_new(meanwhile: Callable[..., None]) -> None:
    source = make_source()
    list_story(source, "A night")
    meanwhile(lambda: Story.objects.all().delete())
    assert list_story(source, "Another night") == "new"
    assert Story.objects.get().title == "Another night"


def test_an_event_edited_during_a_reading_keeps_the_edit(meanwhile: Callable[..., None]) -> None:
    source = make_source()
    list_event(source, "Vigil")
    edits = {"title": "Ours", "town": "York", "edited_fields": ["title", "town"], "cancelled": True}
    meanwhile(lambda: EventNotice.objects.update(**edits))
    assert list_event(source, "Vigil at night") == "updated"
    event = EventNotice.objects.get()
    assert (event.title, event.town, event.note) == ("Ours", "York", "")


def test_an_event_deleted_during_a_reading_is_listed_as_new(meanwhile: Callable[..., None]) -> None:
    source = make_source()
    list_event(source, "Vigil")
    meanwhile(lambda: EventNotice.objects.all().delete())
    assert list_event(source, "Vigil at night") == "new"
    assert EventNotice.objects.get().title == "Vigil at night"
