"""Link the stories that a source names as the same story in other languages.

Staff decide first: a link that they set or took away stays. The story that was linked first is the original.
"""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import Q

from newsletter.common.languages import find_offered_language
from newsletter.content.parsing.alternates import Alternates
from newsletter.content.parsing.urls import hash_url
from newsletter.models import Story, StoryAddress


def link_translations(pages: Iterable[tuple[str, Alternates]]) -> int:
    """Link the stored stories of these addresses with those that each names. Return the number of new links."""
    return sum(_link(address, translations) for address, translations in pages if translations)


def _link(own: str, translations: Alternates) -> int:
    stories = _find_stories([own, *(address for _language, address in translations)])
    story = stories.pop(hash_url(own), None)
    if story is None:
        return 0
    others = {other.pk: other for other in stories.values() if other.pk != story.pk}
    return sum(_join(story, other) for _pk, other in sorted(others.items()))


def _find_stories(addresses: Iterable[str]) -> dict[str, Story]:
    """Return the stories of these addresses, by the hash of the address."""
    rows = StoryAddress.objects.filter(sha256__in=map(hash_url, addresses), story__same_as__isnull=True)
    return {row.sha256: row.story for row in rows.select_related("story__translation_of")}


def _join(story: Story, other: Story) -> bool:
    """Make one of two stories a translation of the other, or of its original. Return True if it was not before."""
    first, second = sorted((story, other), key=lambda one: (not _is_linked(one), one.pk))
    original = first.translation_of or first
    if second.translation_of_id or _is_linked(second) or "translation_of" in second.edited_fields:
        return False
    languages = {find_offered_language(one.language) for one in (original, *original.translations.all())}
    if not second.language or find_offered_language(second.language) in languages:
        return False
    try:
        with transaction.atomic():
            Story.objects.filter(pk=second.pk, translation_of__isnull=True).update(translation_of=original)
    except IntegrityError:
        return False
    story.refresh_from_db()
    return True


def _is_linked(story: Story) -> bool:
    """Return True if the story has translations or is one."""
    return Story.objects.filter(Q(pk=story.pk, translation_of__isnull=False) | Q(translation_of=story.pk)).exists()
