"""Parse documents in a child process that is killed if a document exceeds its limits.

``SandboxProcess`` is the process itself, which also encodes images (``content.images.sandboxed``) and reads mails and reports.
Each process keeps one child, which one thread uses at a time. It starts when needed and is replaced after an overrun.
"""

import atexit
import os
import signal
import subprocess
import sys
import threading
import weakref
from dataclasses import dataclass
from typing import BinaryIO, cast

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.content.parsing.documents import Document
from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.sandbox.child import (
    OUT_OF_MEMORY,
    READY,
    SandboxProtocolError,
    read_message,
    write_message,
)

_LIMIT_EXIT_CODES = {-signal.SIGXCPU, -signal.SIGKILL, OUT_OF_MEMORY}
_INHERITED_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TZDIR", "PYTHONTZPATH", "LD_LIBRARY_PATH", "TMPDIR")
# By default, the GNU C library keeps 64 MiB of address space for each further thread and does not return large blocks.
# The memory limit counts both, so a second large image would not fit after the first.
_ALLOCATOR = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "262144"}
_START_SECONDS = 60.0
_EXIT_SECONDS = 5.0


class ResourceLimitExceeded(DomainError):
    """A document exceeded its limit of time or memory."""


class ParserCrashed(DomainError):
    """A document broke the parser itself."""


@dataclass(frozen=True)
class ResourceLimits:
    """The limits of one document: processor seconds, seconds on the clock, and bytes of memory."""

    cpu_seconds: int = 10
    wall_seconds: float = 30.0
    memory_bytes: int = 512 * 1024 * 1024


_sandboxes: "weakref.WeakSet[SandboxProcess]" = weakref.WeakSet()


def _renew_locks() -> None:
    for sandbox in list(_sandboxes):
        sandbox.renew_lock()


os.register_at_fork(after_in_child=_renew_locks)


class _ChildExited(Exception):
    """The child had exited before it got the document."""


class SandboxProcess:
    """A child process that is started, fed, replaced and ended here. Threads may share one.

    ``task`` is a name of ``child.TASKS``.
    """

    def __init__(
        self,
        *,
        task: str = "documents",
        limits: ResourceLimits = ResourceLimits(),
        max_documents: int = 200,
        idle_seconds: float = 60.0,
    ) -> None:
        self._task = task
        self._limits = limits
        self._idle_seconds = idle_seconds
        self._max_documents = max_documents
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._documents = 0
        _sandboxes.add(self)

    @property
    def pid(self) -> int | None:
        """The child's process id, or None."""
        return self._process.pid if self._process is not None else None

    def run(self, request: object) -> object:
        """Return the child's response to a request. Raises ResourceLimitExceeded or ParserCrashed; the next call works again."""
        with self._lock:
            for _ in range(2):
                process = self._running()
                try:
                    return self._exchange(process, request)
                except _ChildExited:
                    self._end()
            raise ParserCrashed(_damaged_message(Message("the reader does not start")))

    def close(self) -> None:
        """End the child. The next document starts another."""
        with self._lock:
            self._end()

    def renew_lock(self) -> None:
        """Replace the lock after a fork: the thread that held it exists in the parent only."""
        self._lock = threading.Lock()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._owner != os.getpid():
            # This is a fork. The child belongs to the process that started it.
            self._process.returncode = 0
            self._process = None
        is_used_up = self._documents >= self._max_documents
        if self._process is not None and (is_used_up or self._process.poll() is not None):
            self._end()
        if self._process is None:
            self._process = self._start()
        return self._process

    def _start(self) -> subprocess.Popen[bytes]:
        inherited = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
        command = [sys.executable, "-P", "-m", "newsletter.content.parsing.sandbox.child", self._task]
        process = subprocess.Popen(  # noqa: S603
            [*command, str(self._limits.cpu_seconds), str(self._limits.memory_bytes), str(self._idle_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**inherited, **_ALLOCATOR, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self._owner, self._documents, self._process = os.getpid(), 0, process
        with _Deadline(process, _START_SECONDS):
            try:
                ready = read_message(_output(process))
            except (EOFError, SandboxProtocolError):
                ready = ""
        if ready != READY:
            self._end()
            raise ParserCrashed(_damaged_message(Message("the reader does not start")))
        return process

    def _exchange(self, process: subprocess.Popen[bytes], request: object) -> object:
        self._documents += 1
        with _Deadline(process, self._limits.wall_seconds) as deadline:
            try:
                write_message(cast(BinaryIO, process.stdin), request)
                response: object = read_message(_output(process))
            except (EOFError, OSError, SandboxProtocolError) as error:
                code = self._end()
                if deadline.passed or code in _LIMIT_EXIT_CODES:
                    raise ResourceLimitExceeded(
                        "This source takes too long or too much memory to read. Nothing was used. Ask the people who run "
                        "it for a shorter one, such as the newest entries only."
                    ) from error
                if code == 0:
                    raise _ChildExited from error
                raise ParserCrashed(_damaged_message(Message("the reader ended with %(code)s", code=code))) from error
        return response

    def _end(self) -> int | None:
        """End the child, by force if it does not exit at once. Return its exit status."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return None
        for stream in (process.stdin, process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                # The child is about to end: unsent data does not matter.
                continue
        try:
            return process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


class ParserProcess(SandboxProcess):
    """The child that parses documents."""

    def parse(self, document: Document) -> Parsed:
        """Return the entries of the document. Raises ResourceLimitExceeded or ParserCrashed."""
        response = self.run(document)
        if not isinstance(response, Parsed):
            self.close()
            raise ParserCrashed(_damaged_message(Message("the reader answered something else")))
        return response


class _Deadline:
    """Kill a process after this number of seconds, which ends every wait for it."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self.passed = False
        self._process = process
        self._timer = threading.Timer(seconds, self._kill)
        self._timer.daemon = True

    def _kill(self) -> None:
        self.passed = True
        self._process.kill()

    def __enter__(self) -> "_Deadline":
        self._timer.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._timer.cancel()
        self._timer.join()


def _output(process: subprocess.Popen[bytes]) -> BinaryIO:
    return cast(BinaryIO, process.stdout)


def _damaged_message(why: str) -> str:
    return Message(
        "This source is damaged and cannot be read (%(why)s). Nothing new was used. Ask the people who run it to "
        "correct it.",
        why=why,
    )


_child = ParserProcess()
atexit.register(_child.close)


def parse_in_sandbox(document: Document) -> Parsed:
    """Return the entries of a document, parsed in this process's child. Raises ResourceLimitExceeded or ParserCrashed."""
    return _child.parse(document)
