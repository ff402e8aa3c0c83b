"""A small IMAP server on loopback for the ways in which real ones fail: it hangs, breaks off, or lacks extensions."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.socket_server import SocketServer, serve

USER, PASSWORD = "replies", "secret"
_HANGING_SECONDS = 15.0


@dataclass
class ImapServer:
    """One mailbox. ``hangs_at`` and ``breaks_at`` name the command that gets no answer, or the end of the connection.

    A server that hangs counts in ``ended_hangs`` the clients that waited until it went on.
    ``FIELDS`` names a FETCH of header fields alone, whose answer may take some seconds a line.
    """

    messages: dict[int, bytes] = field(default_factory=dict)
    folders: dict[str, list[bytes]] = field(default_factory=dict)
    capabilities: str = "IMAP4rev1 MOVE UIDPLUS"
    validity: int = 1
    hangs_at: str = ""
    breaks_at: str = ""
    refuses: str = ""
    seconds_a_line: float = 0.0
    commands: list[str] = field(default_factory=list)
    deleted: set[int] = field(default_factory=set)
    ended_hangs: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"imap://{USER}:{PASSWORD}@127.0.0.1:{self.port}/INBOX"

    def answer(self, connection: socket.socket) -> None:
        """Answer commands until the client ends, or as the test says."""
        if not self._go_on("greeting", connection):
            return
        connection.sendall(b"* OK ready\r\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                tag, _, command = line.decode().strip().partition(" ")
                name = "FIELDS" if "HEADER.FIELDS" in command else command.removeprefix("UID ").split(" ")[0].upper()
                self.commands.append(command)
                if not self._go_on(name, connection):
                    return
                said, result = self._do(name, command)
                if name == "FIELDS" and self.seconds_a_line:
                    *slowly, said = [*said.splitlines(keepends=True), b""]
                    for part in slowly:
                        time.sleep(self.seconds_a_line)
                        connection.sendall(part)
                connection.sendall(said + f"{tag} {result}\r\n".encode())
                if name == "LOGOUT":
                    return

    def _go_on(self, name: str, connection: socket.socket) -> bool:
        if name == self.hangs_at:
            connection.settimeout(_HANGING_SECONDS)
            try:
                connection.recv(1)
            except TimeoutError:
                self.ended_hangs += 1
            time.sleep(0.1)
            return False
        return name != self.breaks_at

    def _do(self, name: str, command: str) -> tuple[bytes, str]:
        if name == self.refuses:
            return b"", "NO not allowed"
        uids = [int(uid) for uid in re.findall(r"\d+", command.split(" ")[2])] if command.startswith("UID ") else []
        if name == "CAPABILITY":
            return f"* CAPABILITY {self.capabilities}\r\n".encode(), "OK done"
        if name == "SELECT":
            return f"* {len(self.messages)} EXISTS\r\n* OK [UIDVALIDITY {self.validity}]\r\n".encode(), "OK done"
        if name == "SEARCH":
            left = " ".join(str(uid) for uid in sorted(self.messages.keys() - self.deleted))
            return f"* SEARCH {left}\r\n".encode(), "OK done"
        if name == "FIELDS" and (fields := re.search(r"HEADER\.FIELDS \(([^)]*)\)", command)):
            uids = [int(uid) for uid in re.findall(r"\d+", command.split(" ")[2])]
            names = fields[1].lower().split()
            return b"".join(self._fetch_fields(uid, names) for uid in uids if uid in self.messages), "OK done"
        if name == "FETCH":
            return b"".join(self._fetch(uid) for uid in uids if uid in self.messages), "OK done"
        if name in ("LIST", "CREATE"):
            folder = command.rpartition(" ")[2].strip('"')
            if name == "CREATE":
                self.folders[folder] = []
            return (f'* LIST () "/" {folder}\r\n'.encode() if folder in self.folders else b""), "OK done"
        if name in ("MOVE", "COPY"):
            for uid in uids:
                self.folders[command.rpartition(" ")[2].strip('"')].append(self.messages[uid])
                if name == "MOVE":
                    del self.messages[uid]
        if name == "STORE":
            self.deleted |= set(uids)
        if name == "EXPUNGE":
            for uid in uids:
                del self.messages[uid]
        return b"", "OK done"

    def _fetch_fields(self, uid: int, names: list[str]) -> bytes:
        """Return these header fields, with the name of the item quoted in capitals as some servers do."""
        head = self.messages[uid].partition(b"\n\n")[0].replace(b"\r\n", b"\n")
        lines = [line for line in head.split(b"\n") if line.partition(b":")[0].decode("latin-1").lower() in names]
        body = b"\r\n".join([*lines, b"", b""])
        item = f"BODY[HEADER.FIELDS ({' '.join(names).upper()})]<0>"
        return f"* 1 FETCH (UID {uid} {item} {{{len(body)}}}\r\n".encode() + body + b")\r\n"

    def _fetch(self, uid: int) -> bytes:
        body = self.messages[uid]
        head = f"* 1 FETCH (UID {uid} RFC822.SIZE {len(body)} BODY[]<0> {{{len(body)}}}\r\n"
        return head.encode() + body + b")\r\n"


@contextmanager
def run_imap_server(server: ImapServer) -> Iterator[ImapServer]:
    """Serve the mailbox until the block ends."""

    def behave(_: SocketServer, connection: socket.socket) -> None:
        server.answer(connection)

    with serve(behave) as running:
        server.port = int(running.url.rpartition(":")[2])
        yield server
