"""newsletter api-key: make, list and revoke API keys."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from wagtail.log_actions import log

from newsletter.api_keys import DAYS, find_key_by_name, make_key, revoke_key
from newsletter.management.base import ProductCommand
from newsletter.models import ApiKey

BY = "the command line"
SCOPES = ("people", "read")


class Command(ProductCommand):
    help = "Make, list or revoke the keys with which your web site or donor database uses the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="add | list | revoke")
        add = actions.add_parser("add", help="Make a key. It is shown once.")
        add.add_argument("name", metavar="NAME", help="What uses it, such as “Web site”.")
        add.add_argument(
            "--scope",
            required=True,
            action="append",
            choices=SCOPES,
            help="people: sign up, change and read people. read: publications, issues, receipts. Give it twice for both.",
        )
        add.add_argument("--days", type=int, default=DAYS, help=f"How long it works; 0: until revoked. Default {DAYS}.")
        add.add_argument("--json", action="store_true")
        listing = actions.add_parser("list", help="List the keys and when they were last used.")
        listing.add_argument("--json", action="store_true")
        revoke = actions.add_parser("revoke", help="A key works no more, from the next call on.")
        revoke.add_argument("name", metavar="NAME", help="Its name or id.")

    def run(self, **options: Any) -> None:
        now = datetime.now(UTC)
        if options["action"] == "list":
            self._list(as_json=options["json"])
        elif options["action"] == "revoke":
            key = find_key_by_name(options["name"], now=now)
            revoke_key(key=key, by=BY, now=now)
            log(instance=key, action="newsletter.api_key_revoked")
            self.stdout.write(f"The key “{key.name}” works no more.")
        else:
            scope = " ".join(one for one in SCOPES if one in options["scope"])
            key, text = make_key(name=options["name"], scope=scope, by=BY, now=now, days=options["days"])
            log(instance=key, action="newsletter.api_key_made", data={"scope": scope})
            if options["json"]:
                self.write_json({**_describe(key), "key": text})
            else:
                self.stdout.write(
                    f"{text}\nThis is the key “{key.name}”. It is not shown again: keep it in a safe place."
                )

    def _list(self, *, as_json: bool) -> None:
        keys = [_describe(key) for key in ApiKey.objects.all()]
        if as_json:
            self.write_json({"keys": keys})
            return
        if not keys:
            self.stdout.write("There is no key yet. Make one: newsletter api-key add NAME --scope people")
            return
        table = Table("id", "name", "key", "scope", "made", "last used", "works", box=None)
        for key in keys:
            used = str(key["last_used_at"] or "never")[:10]
            table.add_row(
                str(key["id"]), key["name"], f"{key['hint']}…", key["scope"], key["made_at"][:10], used, _works(key)
            )
        self.console().print(table)


def _works(key: dict[str, Any]) -> str:
    if key["revoked_at"]:
        return f"revoked {key['revoked_at'][:10]}"
    return f"until {key['expires_at'][:10]}" if key["expires_at"] else "until revoked"


def _describe(key: ApiKey) -> dict[str, Any]:
    moments = ("made_at", "expires_at", "last_used_at", "revoked_at")
    return {
        "id": key.pk,
        "name": key.name,
        "hint": key.hint,
        "scope": key.scope,
        "made_by": key.made_by,
        **{name: moment.isoformat() if (moment := getattr(key, name)) else None for name in moments},
    }
