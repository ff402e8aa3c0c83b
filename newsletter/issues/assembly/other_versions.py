"""Find the row that a publication shows in place of a story, event or appeal in another language."""

from newsletter.common.languages import find_offered_language
from newsletter.common.messages import Message
from newsletter.models import Appeal, EventNotice, Publication, Story


def find_other_version(row: Story | EventNotice | Appeal, *, publication: Publication) -> str:
    """Return why another row is shown in place of this one: that in the publication's language, else the original. Else ""."""
    own = find_offered_language(publication.language)
    if find_offered_language(row.language) == own and row.language:
        return ""
    if row.translation_of is not None:
        return Message("a translation of “%(title)s”", title=str(row.translation_of))
    translations = (one for one in row.translations.all() if find_offered_language(one.language) == own)
    translation = next(translations, None)
    return Message("“%(title)s” is its translation", title=str(translation)) if translation else ""
