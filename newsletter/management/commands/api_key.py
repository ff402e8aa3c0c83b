"""newsletter api-key: make, list and revoke API keys."""

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import transaction
from wagtail.log_actions import log

from newsletter.api_keys import DAYS, find_key_by_name, make_key, revoke_key
from newsletter.common.commands.base import ProductCommand, make_table
from newsletter.common.errors import NotFound
from newsletter.models import ApiKey, ApiScope
from newsletter.models.api_keys import DEFAULT_CALLS_PER_MINUTE
from subscribers.models import MailingList

BY = "the command line"


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
            choices=ApiScope.values,
            metavar="SCOPE",
            help="What it may do; repeat the option for several. "
            + " ".join(f"{one.value}: {one.label}." for one in ApiScope),
        )
        add.add_argument("--days", type=int, default=DAYS, help=f"Days until the key expires ({DAYS}); 0 means never.")
        add.add_argument("--json", action="store_true")
        add.add_argument("--list", action="append", default=[], help="Limit the key to this list; repeat for several.")
        add.add_argument("--calls-per-minute", type=int, default=DEFAULT_CALLS_PER_MINUTE)
        listing = actions.add_parser("list", help="List the keys and when they were last used.")
        listing.add_argument("--json", action="store_true")
        revoke = actions.add_parser("revoke", help="Revoke a key. It stops working at once.")
        revoke.add_argument("name", metavar="NAME", help="Name or id of the key.")

    def run(
        self,
        *,
        action: str,
        name: str = "",
        scope: Sequence[str] = (),
        days: int = DAYS,
        list: Sequence[str] = (),
        calls_per_minute: int = DEFAULT_CALLS_PER_MINUTE,
        json: bool = False,
    ) -> None:
        now = datetime.now(UTC)
        if action == "list":
            self._list(as_json=json)
        elif action == "revoke":
            key = find_key_by_name(name, now=now)
            with transaction.atomic():
                revoke_key(key=key, by=BY, now=now)
                log(instance=key, action="newsletter.api_key_revoked")
            self.stdout.write(f"The key “{key.name}” is revoked.")
        else:
            with transaction.atomic():
                key, text = make_key(
                    name=name,
                    scope=" ".join(scope),
                    by=BY,
                    now=now,
                    days=days,
                    lists=_find_lists(list) if list else None,
                    calls_per_minute=calls_per_minute,
                )
                log(instance=key, action="newsletter.api_key_made", data={"scope": key.scope, "lists": [*list]})
            if json:
                self.write_json({**_describe(key), "key": text})
            else:
                self.stdout.write(
                    f"{text}\nThis is the key “{key.name}”. It is not shown again: keep it in a safe place."
                )

    def _list(self, *, as_json: bool) -> None:
        keys = ApiKey.objects.all()
        if as_json:
            self.write_json({"keys": [_describe(key) for key in keys]})
            return
        if not keys:
            self.stdout.write("There is no key yet. Make one: newsletter api-key add NAME --scope people")
            return
        table = make_table("id", "name", "key", "scope", "made", "last used", "works")
        for key in keys:
            used = _day(key.last_used_at) if key.last_used_at else "never"
            table.add_row(str(key.pk), key.name, f"{key.hint}…", key.scope, _day(key.made_at), used, _works(key))
        self.console().print(table)


def _find_lists(slugs: Sequence[str]) -> list[MailingList]:
    by_slug = MailingList.objects.in_bulk(slugs, field_name="slug")
    for slug in slugs:
        if slug not in by_slug:
            raise NotFound("There is no list “%(slug)s”.", slug=slug)
    return [*by_slug.values()]


def _works(key: ApiKey) -> str:
    if key.revoked_at:
        return f"revoked {_day(key.revoked_at)}"
    return f"until {_day(key.expires_at)}" if key.expires_at else "until revoked"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _describe(key: ApiKey) -> dict[str, object]:
    moments = ("made_at", "expires_at", "last_used_at", "revoked_at")
    return {
        "id": key.pk,
        "name": key.name,
        "hint": key.hint,
        "scope": key.scope,
        "lists": None if key.all_lists else sorted(key.lists.values_list("slug", flat=True)),
        "calls_per_minute": key.calls_per_minute,
        "made_by": key.made_by,
        **{name: moment.isoformat() if (moment := getattr(key, name)) else None for name in moments},
    }
