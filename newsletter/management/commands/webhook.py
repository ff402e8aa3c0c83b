"""newsletter webhook: add, list and remove the webhooks of the organisation's other systems."""

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from django.db import transaction
from wagtail.log_actions import log

from newsletter.common.commands.base import ProductCommand, make_table
from newsletter.common.errors import NotFound
from newsletter.outbound.endpoints import CHOICES, add_endpoint, remove_endpoint
from subscribers.models import WebhookEndpoint

BY = "the command line"


class Command(ProductCommand):
    help = "Add, list or remove the webhooks that tell your other systems what happens here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="add | list | remove")
        add = actions.add_parser("add", help="Add a webhook. Its signing secret is shown once.")
        add.add_argument("name", metavar="NAME", help="What receives it, such as “Donor database”.")
        add.add_argument("url", metavar="URL", help="The address to which events are posted.")
        add.add_argument(
            "--event",
            action="append",
            default=[],
            choices=[kind.value for kind in CHOICES],
            metavar="EVENT",
            help="An event to send, such as person.unsubscribed. Repeat the option for more; without it, all are sent.",
        )
        add.add_argument("--json", action="store_true")
        listing = actions.add_parser("list", help="List the webhooks and their state.")
        listing.add_argument("--json", action="store_true")
        remove = actions.add_parser("remove", help="Remove a webhook with its messages.")
        remove.add_argument("name", metavar="NAME", help="Name or id of the webhook.")

    def run(self, *, action: str, name: str = "", url: str = "", event: Sequence[str] = (), json: bool = False) -> None:
        if action == "list":
            self._list(as_json=json)
        elif action == "remove":
            endpoint = _find(name)
            with transaction.atomic():
                remove_endpoint(endpoint=endpoint)
                _log("removed", endpoint)
            self.stdout.write(f"The webhook “{endpoint.name}” is removed.")
        else:
            now, write_entry = datetime.now(UTC), partial(_log, "added")
            endpoint, secret = add_endpoint(name=name, url=url, kinds=event, by=BY, now=now, write_entry=write_entry)
            if json:
                self.write_json({**_describe(endpoint), "secret": secret})
            else:
                self.stdout.write(
                    f"{secret}\nThis is the signing secret of “{endpoint.name}”. It is not shown again: enter it where "
                    "the webhooks are received."
                )

    def _list(self, *, as_json: bool) -> None:
        endpoints = WebhookEndpoint.objects.all()
        if as_json:
            self.write_json({"webhooks": [_describe(endpoint) for endpoint in endpoints]})
            return
        if not endpoints:
            self.stdout.write("There is no webhook yet. Add one: newsletter webhook add NAME URL")
            return
        table = make_table("id", "name", "address", "events", "state", "waiting")
        for endpoint in endpoints:
            waiting = str(endpoint.deliveries.pending().count())
            events = ", ".join(endpoint.kinds) or "all"
            table.add_row(str(endpoint.pk), endpoint.name, endpoint.url, events, endpoint.state, waiting)
        self.console().print(table)


def _find(name: str) -> WebhookEndpoint:
    by_name = WebhookEndpoint.objects.filter(name=name).first()
    endpoint = by_name or (WebhookEndpoint.objects.filter(pk=int(name)).first() if name.isdecimal() else None)
    if endpoint is None:
        names = ", ".join(WebhookEndpoint.objects.values_list("name", flat=True)) or "none"
        raise NotFound("There is no webhook “%(name)s”. There are: %(known)s.", name=name, known=names)
    return endpoint


def _describe(endpoint: WebhookEndpoint) -> dict[str, object]:
    return {
        "id": endpoint.pk,
        "name": endpoint.name,
        "url": endpoint.url,
        "events": endpoint.kinds,
        "state": endpoint.state,
        "failing_since": endpoint.failing_since.isoformat() if endpoint.failing_since else None,
        "waiting": endpoint.deliveries.pending().count(),
    }


def _log(step: str, endpoint: WebhookEndpoint) -> None:
    log(instance=endpoint, action=f"newsletter.webhook_{step}", data={"name": endpoint.name})
