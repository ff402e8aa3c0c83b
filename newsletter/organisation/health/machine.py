"""Check this machine: data folder, disk, database, site address, mail templates."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.db import DatabaseError, InterfaceError, NotSupportedError, connection

from newsletter.common.commands.base import REPAIR_READ_ONLY, REPAIR_TOO_OLD
from newsletter.common.database.error_codes import describe_cause
from newsletter.common.database.missing_migrations import list_missing_migrations
from newsletter.common.networks import is_loopback
from newsletter.organisation.private_folder import DataPaths, find_readable_by_others
from newsletter.rendering.blocks import Brand, Button, Document, Events, LeadStory, Note, StoryItem
from newsletter.rendering.errors import RenderingError
from newsletter.rendering.pipeline import render
from newsletter.sending.deliverability.findings import Finding, error, ok, warning

_REPAIR_DATABASE = {
    "sqlite": "Check that DATABASE_URL names the right file, and that this user may read and write it and its folder.",
    "postgresql": "Check DATABASE_URL, and that the database runs.",
}
MAX_SHOWN = 5
MIN_FREE_BYTES, LOW_FREE_BYTES = 200_000_000, 2_000_000_000


def check_data_folder(folder: Path) -> Finding:
    """Check that a file can be written to the data folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-"):
            pass
    except OSError as failure:
        do = "Give this user the right to write there, or set NEWSLETTER_DATA_DIR to another folder."
        return error("data folder", f"{folder} cannot be written to: {failure.strerror}.", do)
    return ok("data folder", f"{folder} can be written to.")


def check_privacy(places: DataPaths) -> Finding:
    """Check that other users cannot read people, keys or mail."""
    readable = find_readable_by_others(places)
    if not readable:
        return ok("privacy", f"Only this user can read the data in {places.folder}.")
    names = ", ".join(map(str, readable[:MAX_SHOWN])) + (" and more" if len(readable) > MAX_SHOWN else "")
    do = (
        "Stop the program, make the user it runs as the owner of the data, and restart it: it then makes its own files private. "
        "Or run: chmod -R go-rwx on each of them."
    )
    return error("privacy", f"Other users of this machine can read {names}.", do)


def check_owner(folder: Path) -> Finding:
    """Check that this user owns the data: the service could not read another user's files."""
    try:
        owner = folder.stat().st_uid
    except OSError as failure:
        return error(
            "owner", f"{folder} cannot be looked at: {failure.strerror}.", "Give this user the right to read it."
        )
    if owner == os.geteuid():
        return ok("owner", "The data belongs to the user who runs this command.")
    name = _user_name(owner)
    text = f"The data belongs to {name}, and this command is run by {_user_name(os.geteuid())}."
    return warning("owner", text, f"Run commands as {name}: sudo -u {name} newsletter …")


def _user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def check_disk(folder: Path) -> Finding:
    """Check the free space on the disk of the data."""
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:,.1f} GB are free in {folder}."
    if free < MIN_FREE_BYTES:
        return error("disk", text, "Make room at once: a full disk stops a send half-way.")
    if free < LOW_FREE_BYTES:
        return warning("disk", text, "Make room soon: pictures, the database and its backups grow every week.")
    return ok("disk", text)


def check_database() -> Finding:
    """Check that the database answers and has this version's tables."""
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(connection.vendor, connection.vendor)
    try:
        waiting = list_missing_migrations()
        is_read_only = _takes_no_changes()
    except NotSupportedError as failure:
        return error("database", f"{describe_cause(failure)}.", REPAIR_TOO_OLD)
    except (DatabaseError, InterfaceError) as failure:
        return error(
            "database",
            f"{kind} does not answer: {describe_cause(failure)}.",
            _REPAIR_DATABASE.get(connection.vendor, ""),
        )
    if is_read_only:
        return error("database", f"{kind} takes no changes, so nothing can be stored or sent.", REPAIR_READ_ONLY)
    kind = f"{kind}, for one machine" if connection.vendor == "sqlite" else kind
    if waiting:
        return error(
            "database", f"{kind}; {len(waiting)} changes of its tables are waiting.", "Run: newsletter migrate"
        )
    return ok("database", f"{kind}; its tables are those of this version.")


def _takes_no_changes() -> bool:
    """Return True for a PostgreSQL that is a standby, or was made read-only, as some hosts do if its disk is full."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_read_only")
        return bool(cursor.fetchone() == ("on",))


def check_site_url(url: str, *, production: bool, sends_real_mail: bool) -> Iterator[Finding]:
    """Check the site's address: links in mails need HTTPS, or this machine for a trial."""
    do = "Set NEWSLETTER_SITE_URL to a whole address, such as https://letter.example.org."
    try:
        parts = urlsplit(url)
        can_be_read = parts.port is None or parts.port > 0
    except ValueError:
        parts, can_be_read = urlsplit(""), False
    if "@" in url:
        yield error("site URL", "It contains a user or a password, which every mail would show.", do)
    elif parts.scheme not in ("http", "https") or not parts.hostname or not can_be_read or len(url.split()) > 1:
        yield error("site URL", f"“{url}” is not a web address.", do)
    elif parts.path.strip("/") or parts.query or parts.fragment:
        base = f"{parts.scheme}://{parts.netloc}"
        do = f"Set NEWSLETTER_SITE_URL to {base}. The newsletter needs a host name of its own."
        yield error("site URL", f"{url} has something after the host, so no link in the mail works.", do)
    elif is_own_name(parts.hostname):
        text = f"{url} is this machine; nobody else can follow the links in the mail."
        if sends_real_mail:
            do = "Set NEWSLETTER_SITE_URL to the public address before mailing real people."
            yield warning("site URL", text, do)
        else:
            yield ok("site URL", text)
    elif parts.scheme != "https":
        do = "Put it behind HTTPS, and write https:// in NEWSLETTER_SITE_URL; one-click unsubscribing needs it."
        yield error("site URL", f"{url} is not HTTPS, so log-ins and readers' links travel in the open.", do)
    else:
        yield ok("site URL", f"{url} is HTTPS.")
        if not production:
            do = (
                "Set NEWSLETTER_PRODUCTION=true, and NEWSLETTER_SECRET_KEY and NEWSLETTER_ADDRESS_KEY to what is in "
                "secret.key and address.key of the data folder."
            )
            yield warning("production", "This is a public address, but the settings are those for trying out.", do)


def check_templates() -> Finding:
    """Render a small mail."""
    story = StoryItem(title="A story", url="https://example.org/story", teaser="How it went.")
    document = Document(
        subject="A letter",
        preheader="What is inside",
        language="en",
        brand=Brand(name="An organisation", postal_address="1 Example Street"),
        blocks=(
            Note(body_html="<p>Hello</p>", body_text="Hello"),
            LeadStory(story=story),
            Events(events=(), kind="host", host_url="https://example.org/host"),
            Button(label="Give", url="https://example.org/give"),
        ),
        publication="The letter",
        reason="You asked for it.",
        urls={"view_online": "https://example.org/online"},
    )
    try:
        mail = render(document)
    except RenderingError as failure:
        do = "Undo the last change in templates/email, or install the program again."
        return error("templates", f"The mail templates do not work: {failure}", do)
    return ok("templates", f"A small letter renders: {len(mail.html.encode()):,} bytes of HTML, and text.")


def is_own_name(host: str) -> bool:
    """Return True for this machine's own names and addresses, as browsers know them."""
    return host.endswith(".localhost") or is_loopback(host)
