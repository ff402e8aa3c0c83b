"""Stories from a spreadsheet that is published as CSV, with the columns title, link, teaser and date."""

import csv
from datetime import UTC, datetime
from io import StringIO

from newsletter.extensions.sources import (
    BadEntry,
    Document,
    Message,
    Parsed,
    SourceKind,
    StoryEntry,
    label_entry,
    normalise_date,
    read_entries,
    require_link,
    require_title,
)

COLUMNS = {"title", "link"}


class Spreadsheet(SourceKind):
    interface = 1
    label = Message("Spreadsheet (CSV)")
    gives = "stories"
    asks_for = "text/csv, text/plain;q=0.5"

    def parse(self, document: Document) -> Parsed:
        table = csv.DictReader(StringIO(document.body.decode("utf-8-sig", "replace")))
        if not set(table.fieldnames or ()) >= COLUMNS:
            return Parsed(
                error=Message("This is no spreadsheet with the columns “title” and “link”. Publish it as CSV.")
            )
        stories, aside = read_entries(
            table,
            parse=lambda row: _read_row(row, document),
            label=lambda row, number: label_entry(title=row["title"] or "", link=row["link"] or "", number=number),
            identify=lambda story: story.external_id,
        )
        return Parsed(stories=stories, set_aside=aside)


def _read_row(row: dict[str, str], document: Document) -> StoryEntry:
    link = require_link(row["link"] or "", base_url=document.url)
    return StoryEntry(
        external_id=link,
        url=link,
        title=require_title(row["title"] or ""),
        teaser=row.get("teaser") or "",
        published_at=normalise_date(_read_date(row.get("date") or ""), now=document.now),
    )


def _read_date(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadEntry("“%(text)s” is no date such as 2026-03-31.", text=text[:40]) from error
