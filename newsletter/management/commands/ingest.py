"""newsletter ingest: read sources now."""

from argparse import ArgumentParser
from datetime import UTC, datetime

from django.core.management import CommandError

from newsletter.common.commands.base import ProductCommand
from newsletter.common.errors import NotFound
from newsletter.content.ingesting.ingest import IngestReport, ingest_source
from newsletter.models import Source


class Command(ProductCommand):
    help = (
        "Read all sources now and print what is new. Exit with 1 if none of them could be read. One that fails beside"
        " others is printed with its reason: its earlier content stays, and the desk shows it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", help="Only the source of this id or name.")
        parser.add_argument("--json", action="store_true")

    def run(self, *, source: str | None, json: bool) -> None:
        reports = [ingest_source(source=row, now=datetime.now(UTC)) for row in _sources(source)]
        if json:
            self.write_json({"sources": [report.as_json() for report in reports]})
        else:
            self.write_lines(_in_words(report) for report in reports)
        if all(report.error for report in reports):
            raise CommandError(_describe_failure(reports))


def _sources(name: str | None) -> list[Source]:
    sources = Source.objects.filter(enabled=True)
    if not name:
        if not sources:
            raise NotFound("There is no source yet. Add one in the desk, or with `newsletter apply FILE.toml`.")
        return list(sources)
    matching = Source.objects.filter(pk=int(name)) if name.isdigit() else Source.objects.filter(name=name)
    if not matching:
        names = ", ".join(f"{source.pk} ({source.name})" for source in sources) or "none yet"
        raise NotFound(f"There is no source “{name}”. There are: {names}.")
    return list(matching)


def _in_words(report: IngestReport) -> str:
    if report.error:
        return f"{report.name}: {report.error}"
    line = f"{report.name}: {report.new} new, {report.updated} updated, {report.unchanged} unchanged"
    aside = [f"  set aside: {entry.entry}: {entry.reason}" for entry in report.set_aside]
    return "\n".join([line, *aside])


def _describe_failure(reports: list[IngestReport]) -> str:
    first, *others = reports
    which = f"None of the {len(reports)} sources could be read. The first is" if others else "Could not read"
    return f"{which} “{first.name}”: {first.error} Earlier stories and events stay. Correct it, then run this again."
