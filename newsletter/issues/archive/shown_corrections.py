"""Show the corrections of an issue's mistakes above its text on public pages, in every language. No database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from newsletter.issues.snapshot.records.blocks import NoteBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.rendering.phrases import format_day, get_babel_locale

_BETWEEN = " · "


@dataclass(frozen=True, slots=True)
class ShownCorrection:
    """The texts of a correction that was sent, by language. The first language is the publication's own."""

    notes: tuple[tuple[str, tuple[NoteBlock, ...]], ...]

    def in_language(self, language: str) -> tuple[NoteBlock, ...]:
        return dict(self.notes).get(language, self.notes[0][1])


Corrections = tuple[ShownCorrection, ...]


def make_shown_correction(content: IssueContent, *, sent_on: date) -> ShownCorrection:
    """Return the texts of a correction's public content, with the day on which it was sent in the first heading."""
    return ShownCorrection(
        tuple((version.publication.language, _find_notes(version, sent_on)) for version in content.all_versions)
    )


def show_corrections(content: IssueContent, *, corrections: Sequence[ShownCorrection]) -> IssueContent:
    """Return the content with the texts of these corrections before its blocks, in every version."""
    if not corrections:
        return content
    versions = tuple(_show_in_version(version, corrections) for version in content.versions)
    return replace(_show_in_version(content, corrections), versions=versions)


def _find_notes(version: IssueContent, sent_on: date) -> tuple[NoteBlock, ...]:
    notes = [block for block in version.blocks if isinstance(block, NoteBlock)]
    if not notes:
        return ()
    day = format_day(sent_on, locale=get_babel_locale(version.publication.language), year=None)
    heading = _BETWEEN.join(filter(None, [notes[0].heading, day]))
    return (replace(notes[0], heading=heading), *notes[1:])


def _show_in_version(version: IssueContent, corrections: Sequence[ShownCorrection]) -> IssueContent:
    language = version.publication.language
    notes = [note for correction in corrections for note in correction.in_language(language)]
    return replace(version, blocks=(*notes, *version.blocks))
