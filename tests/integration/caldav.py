"""Real calendar servers on loopback: radicale and xandikos, each with a calendar that a test changes over CalDAV."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.integration.servers import run_server
from tests.integration.tools import find_tool
from tests.support.ports import free_port

RADICALE = """[server]
hosts = 127.0.0.1:{port}
[auth]
type = none
[rights]
type = from_file
file = {rights}
[storage]
filesystem_folder = {data}
[web]
type = none
"""
RIGHTS = """[anybody]
user: .*
collection: .*
permissions: RrWw
"""
MKCALENDAR = '<?xml version="1.0"?><C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"/>'


class Calendar:
    """One collection. ``url`` is the address of the source."""

    def __init__(self, url: str) -> None:
        self.url = url

    def put(self, uid: str, *lines: str, before: tuple[str, ...] = ()) -> None:
        """Write one VEVENT (its lines but UID and DTSTAMP), replacing the one of that UID."""
        event = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"]
        self.put_text(uid, [*before, *event])

    def put_text(self, uid: str, components: list[str]) -> None:
        """Write the whole calendar object of that UID."""
        text = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example.org//tests//EN", *components, "END:VCALENDAR", ""]
        answer = requests.put(
            f"{self.url}{uid}.ics",
            data="\r\n".join(text).encode(),
            headers={"Content-Type": "text/calendar; charset=utf-8"},
            timeout=20,
        )
        answer.raise_for_status()

    def delete(self, uid: str) -> None:
        requests.delete(f"{self.url}{uid}.ics", timeout=20).raise_for_status()


@contextmanager
def run_radicale(folder: Path) -> Iterator[Calendar]:
    """Start radicale with an empty calendar."""
    port = free_port()
    folder.mkdir(parents=True)
    rights = folder / "rights"
    rights.write_text(RIGHTS)
    config = folder / "config"
    config.write_text(RADICALE.format(port=port, rights=rights, data=folder / "data"))
    command = [str(find_tool("radicale")), "--config", str(config)]
    with run_server(command, port=port, log=folder / "log"):
        yield _make_calendar(f"http://127.0.0.1:{port}/team/events/")


@contextmanager
def run_xandikos(folder: Path) -> Iterator[Calendar]:
    """Start xandikos with the calendar that it creates for a new user."""
    port = free_port()
    folder.mkdir(parents=True)
    where = ["-d", str(folder / "data"), "-l", "127.0.0.1", "-p", str(port)]
    command = [str(find_tool("xandikos")), "serve", *where, "--current-user-principal", "/team/", "--defaults"]
    with run_server(command, port=port, log=folder / "log"):
        yield Calendar(f"http://127.0.0.1:{port}/team/calendars/calendar/")


def _make_calendar(url: str) -> Calendar:
    parent = url.rstrip("/").rpartition("/")[0] + "/"
    requests.request("MKCOL", parent, timeout=20).raise_for_status()
    requests.request("MKCALENDAR", url, data=MKCALENDAR, timeout=20).raise_for_status()
    return Calendar(url)
