"""Make the versions of an issue's content in the publication's further languages, from the translations as they are now.

A text without a translation stays in the publication's language. A language without any translation gets no version.
"""

from collections import defaultdict
from dataclasses import replace
from zoneinfo import ZoneInfo

from newsletter.common.languages import find_offered_language
from newsletter.content.parsing.pseudonyms import list_notes_for
from newsletter.issues.appeal_rules import is_for_issue, put_readers_language_first
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.drafted_subjects import (
    draft_preheader,
    fill_digest_subject,
    fill_subject,
    is_drafted,
    needs_translation,
)
from newsletter.issues.snapshot.language_version import Gap, LanguageVersion
from newsletter.issues.snapshot.own_texts import OwnText, TextKind, hash_text, translate_texts
from newsletter.issues.snapshot.records.blocks import (
    AppealsBlock,
    Block,
    EventCardBlock,
    EventsBlock,
    LeadStoryBlock,
    StoriesBlock,
)
from newsletter.issues.snapshot.records.content import IssueContent, name_row
from newsletter.issues.snapshot.records.events import AppealRecord, EventRecord
from newsletter.issues.snapshot.records.stories import StoryRecord
from newsletter.issues.snapshot.resolve_stories import split_paragraphs
from newsletter.issues.snapshot.translated_rows import (
    find_blocks_of_languages,
    find_translated_location,
    find_translations,
    list_languages_of_appeals,
)
from newsletter.models import Appeal, EventNotice, Issue, Story, TextTranslation
from subscribers.models import Topic

_BLOCKS_OF_ROWS = (LeadStoryBlock, StoriesBlock, EventsBlock, EventCardBlock, AppealsBlock)


def resolve_versions(content: IssueContent, *, issue: Issue) -> tuple[IssueContent, ...]:
    """Return the versions of a content, in the order of the publication's languages."""
    return tuple(version.content for version in make_language_versions(content, issue=issue) if version.translated)


def make_language_versions(content: IssueContent, *, issue: Issue) -> list[LanguageVersion]:
    """Return a version for each further language of the publication, even if nothing in it is translated."""
    languages = [code for code in issue.publication.languages if find_offered_language(code) == code]
    if not languages:
        return []
    maker = _VersionMaker(content, issue=issue, languages=languages)
    return [maker.make(language) for language in languages]


def remove_appeals_in_other_languages(content: IssueContent, *, issue: Issue) -> IssueContent:
    """Return the content with the appeals in the publication's own language and those of no language."""
    languages = list_languages_of_appeals(content)
    usual_language = find_offered_language(issue.publication.language)

    def keep(block: Block) -> Block:
        if not isinstance(block, AppealsBlock):
            return block
        return replace(
            block,
            appeals=tuple(
                appeal for appeal in block.appeals if languages.get(appeal.id, usual_language) == usual_language
            ),
        )

    return replace(content, blocks=tuple(map(keep, content.blocks)))


class _VersionMaker:
    """Hold the data for the versions of one content, read once for all languages."""

    def __init__(self, content: IssueContent, *, issue: Issue, languages: list[str]) -> None:
        appeals = {appeal.id for block in content.blocks if isinstance(block, AppealsBlock) for appeal in block.appeals}
        self._content, self._issue = content, issue
        self._limited = find_blocks_of_languages(content)
        self._due_on = content.issue.due_at.astimezone(ZoneInfo(content.publication.zone)).date()
        self._originals = Story.objects.in_bulk({story.id for story in content.stories})
        self._own_events = EventNotice.objects.in_bulk({event.id for event in content.events})
        self._stories = find_translations(Story, set(self._originals))
        self._events = find_translations(EventNotice, {event.id for event in content.events})
        self._appeals = find_translations(Appeal, appeals)
        self._own_language = find_offered_language(issue.publication.language)
        self._languages_of_appeals = list_languages_of_appeals(content)
        self._topics = list(Topic.objects.all())
        self._texts: defaultdict[str, dict[str, str]] = defaultdict(dict)
        texts = TextTranslation.objects.filter(publication=issue.publication_id, language__in=languages)
        for language, sha256, text in texts.values_list("language", "source_sha256", "text"):
            self._texts[language][sha256] = text

    def make(self, language: str) -> LanguageVersion:
        version = LanguageVersion(language, self._content)
        blocks = tuple(self._translate_rows(block, version) for block in self._content.blocks)
        content = replace(
            self._content,
            blocks=blocks,
            publication=replace(self._content.publication, language=language),
            translated_from=self._content.publication.language,
            versions=(),
        )
        drafted = {name for name in ("subject", "preheader") if is_drafted(self._issue, name)}
        content = translate_texts(content, translate=lambda text: self._translate_text(text, version, drafted))
        if "subject" in drafted:
            content = replace(content, subject=self._draft_subject(content, version))
        if "preheader" in drafted and any(story.translation_id for story in content.stories):
            content = replace(content, preheader=draft_preheader(content.stories))
        version.gaps = [gap for gap in version.gaps if gap.block not in self._limited]
        self._note_untranslated_blocks(content, version)
        version.content = replace(content, untranslated=tuple(sorted(version.untranslated.items())))
        return version

    def _note_untranslated_blocks(self, content: IssueContent, version: LanguageVersion) -> None:
        """Note the language of the blocks of own words of which no text is translated."""
        gaps = {gap.block for gap in version.gaps}
        for block, original in zip(content.blocks, self._content.blocks, strict=True):
            if block.key in gaps and block == original and not isinstance(block, _BLOCKS_OF_ROWS):
                version.untranslated[block.key] = self._content.publication.language

    def _note_untranslated_row(self, kind: str, row: int, language: str, version: LanguageVersion) -> None:
        version.untranslated[name_row(kind, row)] = language or self._content.publication.language

    def _translate_text(self, text: OwnText, version: LanguageVersion, drafted: set[str]) -> str:
        if not text.block and text.field in drafted:
            return text.text
        if text.field == "alt" and text.text in version.alts:
            return text.text
        if text.block in self._limited:
            version.translated += self._limited[text.block] == version.language
            return text.text
        translation = self._texts[version.language].get(text.sha256, "")
        version.texts.append((text, translation))
        if translation:
            version.translated += text.counts
        elif text.counts:
            version.gaps.append(Gap(text.block, text.field, text.text))
        return translation or text.text

    def _draft_subject(self, content: IssueContent, version: LanguageVersion) -> str:
        """Fill in the publication's pattern, translated if it has words, with the first headline of the version.

        That of a digest has no pattern: it is the month and the first headline.
        """
        lead = content.stories[0].title if content.stories else ""
        if self._issue.slot is not None and self._issue.kind == Issue.Kind.DIGEST:
            return fill_digest_subject(self._issue.slot.due_local, lead=lead, language=version.language)
        pattern = self._issue.publication.subject
        has_words = needs_translation(pattern)
        translated = self._texts[version.language].get(hash_text(pattern), "")
        if has_words:
            version.texts.insert(0, (OwnText(pattern, TextKind.LINE, field="subject"), translated))
        if has_words and not translated:
            version.gaps.insert(0, Gap("", "subject", pattern))
            return self._content.subject
        version.translated += has_words
        return fill_subject(
            translated or pattern,
            lead=lead or content.publication.name,
            publication=content.publication.name,
            number=self._issue.number,
        )

    def _translate_rows(self, block: Block, version: LanguageVersion) -> Block:
        match block:
            case LeadStoryBlock():
                return replace(block, story=self._translate_story(block.story, block, version))
            case StoriesBlock():
                stories = tuple(self._translate_story(story, block, version) for story in block.stories)
                return replace(block, stories=stories)
            case EventsBlock():
                events = tuple(self._translate_event(event, block, version) for event in block.events)
                return replace(block, events=events)
            case EventCardBlock():
                (event,) = block.events
                row = self._events.get((event.id, version.language))
                summary = row.summary if row and not row.cancelled and row.summary else block.summary
                return replace(block, events=(self._translate_event(event, block, version),), summary=summary)
            case AppealsBlock():
                return replace(block, appeals=self._translate_appeals(block, version))
            case _:
                return block

    def _translate_story(self, story: StoryRecord, block: Block, version: LanguageVersion) -> StoryRecord:
        topic = next(
            (
                named_topic.name_in(version.language)
                for named_topic in self._topics
                if self._is_named(named_topic, story)
            ),
            story.topic,
        )
        story = replace(story, topic=topic)
        row = self._stories.get((story.id, version.language))
        consent = make_consent_record(row) if row else story.consent
        publication = self._content.publication
        if row is None or find_display_restriction(
            consent, channel=EMAIL, at=self._content.issue.due_at, required=publication.consent_required
        ):
            if self._find_own_language(story) != version.language:
                version.gaps.append(Gap(block.key, "story", story.title))
                self._note_untranslated_row("story", story.id, self._find_own_language(story), version)
            return story
        version.translated += 1
        pseudonyms = row.pseudonyms or self._originals[story.id].pseudonyms
        pairs = tuple((str(name), str(note)) for name, note in pseudonyms)
        alt, text = row.picture_alt, split_paragraphs(row.text)
        version.alts.add(alt)
        return replace(
            story,
            title=row.title,
            own_title=row.title,
            url=row.url,
            own_url=None,
            teaser=row.teaser,
            text=text,
            picture=replace(story.picture, alt=alt or story.picture.alt) if story.picture else None,
            other_picture=replace(story.other_picture, alt=alt or story.other_picture.alt)
            if story.other_picture
            else None,
            notes=tuple(list_notes_for(f"{row.title}\n{row.teaser}\n{text}", pairs)),
            excluded_regions=tuple(sorted({*story.excluded_regions, *row.not_in_regions})),
            consent=consent,
            translation_id=row.pk,
        )

    def _find_own_language(self, story: StoryRecord) -> str:
        """Return the language of a story's row, "" if it is not known. The preview of a new story has no row yet."""
        row = self._originals.get(story.id)
        return find_offered_language(row.language) if row else ""

    def _is_named(self, topic: Topic, story: StoryRecord) -> bool:
        return bool(story.topic) and topic.name_in(self._content.publication.language) == story.topic

    def _translate_event(self, event: EventRecord, block: Block, version: LanguageVersion) -> EventRecord:
        """Return the event with the translated title, page and words for its location. Its time and town stay its own."""
        original = self._own_events.get(event.id)
        row = self._events.get((event.id, version.language))
        if row is None or row.cancelled:
            event_language = find_offered_language(original.language if original else "")
            if event_language != version.language:
                version.gaps.append(Gap(block.key, "event", event.title))
                self._note_untranslated_row("event", event.id, event_language, version)
            return event
        version.translated += 1
        words = find_translated_location(row, original=original) if original else None
        url = row.url or event.url
        return replace(event, title=row.title, url=url, translation_id=row.pk, translated_location=words)

    def _translate_appeals(self, block: AppealsBlock, version: LanguageVersion) -> tuple[AppealRecord, ...]:
        """Return the appeals in this language, then those that have no translation into it."""
        in_language: set[int] = set()
        listed: list[AppealRecord] = []
        for appeal in block.appeals:
            language = self._languages_of_appeals.get(appeal.id, "")
            row = self._appeals.get((appeal.id, version.language))
            if language == version.language:
                in_language.add(appeal.id)
                listed.append(appeal)
            elif row is not None and is_for_issue(row, publication_id=self._issue.publication_id, day=self._due_on):
                in_language.add(appeal.id)
                listed.append(_translate_appeal(appeal, row))
            elif language in ("", self._own_language):
                version.gaps.append(Gap(block.key, "appeal", appeal.headline))
                self._note_untranslated_row("appeal", appeal.id, language, version)
                listed.append(appeal)
        version.translated += len(in_language)
        translations = {appeal.translation_id for appeal in listed}
        in_order = put_readers_language_first(listed, is_in_it=lambda appeal: appeal.id in in_language)
        return tuple(appeal for appeal in in_order if appeal.id not in translations)


def _translate_appeal(appeal: AppealRecord, row: Appeal) -> AppealRecord:
    return replace(appeal, headline=row.headline, text=row.text, url=row.link, button=row.button, translation_id=row.pk)
