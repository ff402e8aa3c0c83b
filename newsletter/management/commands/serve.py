"""newsletter serve: run web, scheduler and sender in one process."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from newsletter.common.commands.base import ProductCommand, describe_start
from newsletter.common.networks import is_loopback
from newsletter.demo.environment import hold_folder
from newsletter.jobs.catalogue import ALL_ROLES, WORKER
from newsletter.jobs.engine import make_engine
from newsletter.management.commands.worker import add_concurrency_option
from newsletter.management.ports import check_port_free, port_number
from newsletter.management.prepare_database import prepare_database
from newsletter.management.server import Server
from newsletter.monitoring.readiness import check_readiness, log_other_key
from newsletter.organisation.accounts.first_administrator import (
    CODE_LIFETIME,
    find_claim_link,
    find_unclaimed_account,
    is_without_staff,
    make_first_administrator_url,
)
from newsletter.organisation.accounts.staff_links import make_staff_link_url
from newsletter.sending.dispatching.worker_loop import DEFAULT_CONCURRENCY
from newsletter.sending.repair_journal import try_to_repair_journal


class Command(ProductCommand):
    help = "Serve everything in one process: the desk, the public pages, the schedule and the sender."
    roles: frozenset[str] = ALL_ROLES

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=port_number, default=8000, metavar="P")
        if WORKER in self.roles:
            add_concurrency_option(parser)

    def run(self, *, host: str, port: int, concurrency: int = DEFAULT_CONCURRENCY) -> None:
        check_port_free(host=host, port=port)
        hold_folder(settings.NEWSLETTER_DATA_DIR)
        prepare_database()
        log_other_key(check_readiness())
        try_to_repair_journal(now=datetime.now(UTC))
        engine = make_engine(roles=self.roles, concurrency=concurrency)

        def start() -> None:
            engine.start()
            self._announce(host=host, port=port)  # not before: the start fails if the disk is full, for example

        Server(host=host, port=port, started=start, stopping=engine.stop).run()

    def _announce(self, *, host: str, port: int) -> None:
        self.stdout.write(
            f"Serving {settings.NEWSLETTER_SITE_URL}/ on {host}:{port}. Ctrl-C stops.\n{describe_start()}"
        )
        if warning := describe_other_port(settings.NEWSLETTER_SITE_URL, port=port):
            self.stdout.write(warning)
        if first := describe_first_link(now=datetime.now(UTC)):
            self.stdout.write(lead_to_served_port(first, settings.NEWSLETTER_SITE_URL, port=port))
        self.stdout.flush()


def describe_first_link(*, now: datetime) -> str:
    """Return the link with which the first administrator begins, and until when it works, or "" once somebody has signed in."""
    if is_without_staff():
        return (
            "Nobody has an account yet. Open this link to make the first one. It works until"
            f" {_describe_moment(now + CODE_LIFETIME)}:\n{make_first_administrator_url()}"
        )
    person = find_unclaimed_account()
    if person is None:
        return ""
    link = find_claim_link(person, now=now)
    return (
        f"Nobody has signed in yet. Open this link to choose the password of {person.email}. It works once, until"
        f" {_describe_moment(link.expires_at)}:\n{make_staff_link_url(link)}"
    )


def _describe_moment(moment: datetime) -> str:
    """Return the date and the time by the installation's clock, with the zone."""
    return f"{timezone.localtime(moment):%d %B %Y, %H:%M %Z}"


def describe_other_port(site_url: str, *, port: int) -> str:
    """Return a warning if links lead to this machine, but to a port that is not served."""
    served = find_served_url(site_url, port=port)
    if served == site_url:
        return ""
    return f"Links in mails lead to {site_url}/, not to this port. Set NEWSLETTER_SITE_URL={served} and start again."


def lead_to_served_port(text: str, site_url: str, *, port: int) -> str:
    """Return the text with links that open: somebody follows them at once, on this machine."""
    return text.replace(f"{site_url}/", f"{find_served_url(site_url, port=port)}/")


def find_served_url(site_url: str, *, port: int) -> str:
    """Return the site's URL, with the served port if it leads to this machine."""
    site = urlsplit(site_url)
    host = site.hostname or ""
    if not is_loopback(host) or (site.port or 80) == port:
        return site_url
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
