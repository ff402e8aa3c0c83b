"""newsletter breach-drill: list whose data a staff account, an API key or an export touched in a period."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime

from django.utils import timezone

from newsletter.common.commands.base import ProductCommand
from newsletter.organisation.breach_scope import (
    find_affected_people,
    list_api_key_entries,
    list_export_entries,
    list_staff_entries,
)

_START = datetime(1970, 1, 1, tzinfo=UTC)


class Command(ProductCommand):
    help = "List whose data an account, a key of the API or an export touched, by the staff log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--staff", default="", metavar="EMAIL", help="The account of a member of staff.")
        who.add_argument("--key", type=int, metavar="ID", help="A key of the API, by its number.")
        who.add_argument("--export", type=int, metavar="ID", help="A file of people, by its number in the staff log.")
        parser.add_argument(
            "--from", dest="since", type=_moment, default=_START, metavar="ISO", help="Start of the period."
        )
        parser.add_argument(
            "--to", dest="until", type=_moment, metavar="ISO", help="End of the period (exclusive); now if not given."
        )
        parser.add_argument("--json", action="store_true", help="With every address: it is personal data.")

    def run(
        self,
        *,
        staff: str,
        key: int | None,
        export: int | None,
        since: datetime,
        until: datetime | None,
        json: bool,
    ) -> None:
        if key is not None:
            entries = list_api_key_entries(key)
        elif export is not None:
            entries = list_export_entries(export)
        else:
            entries = list_staff_entries(staff)
        until = until or datetime.now(UTC)
        touched = find_affected_people(entries, since=since, until=until)
        people = touched.known()
        if json:
            self.write_json(
                {
                    "from": since.isoformat(),
                    "to": until.isoformat(),
                    "entries": touched.entries,
                    "erased": len(touched.acts) - len(people),
                    "people": [
                        {"id": person.pk, "email": person.email, "acts": sorted(touched.acts[person.pk])}
                        for person in people
                    ],
                }
            )
            return
        self.write_lines(
            [
                *(f"{person.pk}  {person}  {', '.join(sorted(touched.acts[person.pk]))}" for person in people),
                f"{len(people):,} people, and {len(touched.acts) - len(people):,} erased since, "
                f"by {touched.entries:,} entries of the staff log. --json gives their addresses.",
            ]
        )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is not a time such as 2026-03-31 or 2026-03-31T09:00+01:00") from error
    return moment if moment.tzinfo else timezone.make_aware(moment)
