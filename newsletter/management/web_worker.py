"""A gunicorn worker that gives a request a thread only after the whole request has arrived.

Gunicorn's own threaded worker lets a thread wait for a client that sends slowly, so a handful of slow clients stop every page.
Here the event loop collects requests, each with a deadline, and threads never wait for input.
"""

import errno
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from gunicorn import http
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import TConn, ThreadWorker

from newsletter.common.networks import limited_network
from newsletter.common.thread_pool import LastUsedFirstExecutor, OneAtATimeExecutor
from newsletter.management.request_buffer import BodyLimit, RequestBuffer, Stage
from newsletter.monitoring.event_loop import turns

HEADER_SECONDS = 10.0
BODY_SECONDS = 20.0
SLOWEST_BODY_BYTES_PER_SECOND = 32 * 1024
WRITE_SECONDS = 30.0
DRAIN_SECONDS = 2.0
MAX_WAIT_FOR_ONE_THREAD = 0.1
STOPPING_SECONDS = 2.0
MAX_WAITING_PER_NETWORK = 50
MAX_COLLECTED_BYTES = 512 * 1024 * 1024
ACCEPT_PAUSE_SECONDS = 1.0
ACCEPT_FAILING_SECONDS = 10.0  # without another failure: the client may have left
SECONDS_BETWEEN_ACCEPT_WARNINGS = 60.0
_NO_CLIENT = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED, errno.EINTR)
_READ_BYTES = 64 * 1024
_TOO_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"
_TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(TConn):
    """A client's connection with its arriving request."""

    def __init__(
        self, cfg: object, sock: socket.socket, client: object, server: object, *, body_limit: BodyLimit, network: str
    ) -> None:
        super().__init__(cfg, sock, client, server)
        self.network = network
        self.body_limit = body_limit
        self.is_draining = False
        self.begin_request(seconds=HEADER_SECONDS)

    def begin_request(self, *, seconds: float, next_request_bytes: bytes = b"") -> None:
        """Wait for a new request, which may have begun to arrive with the one before."""
        self.request = RequestBuffer(body_limit=self.body_limit)
        self.deadline = time.monotonic() + seconds
        if next_request_bytes:
            self.request.feed(next_request_bytes)

    def hand_over(self) -> None:
        """Let the parser read the request from what was collected, never from the socket."""
        self.initialized = self.data_ready = True
        self.parser = http.get_parser(self.cfg, self.request, self.client)

    def close(self, graceful: bool = False) -> None:
        self.request.close()
        super().close(graceful)


class CollectingWorker(ThreadWorker):
    """Threads for complete requests only, deadlines for headers and bodies, and a limit of waiting connections per network.

    Subclasses set the body limits, the reverse proxies, whose connections carry many visitors, by its first line which request
    is answered after the one before it, by one thread, and what runs when the process is asked to stop.
    """

    body_limit: ClassVar[BodyLimit]
    trusted_proxies: ClassVar[Sequence[str]] = ()
    is_for_one_thread: ClassVar[Callable[[bytes], bool]]
    stop_asked: ClassVar[Callable[[], object]]
    handle_quit = Worker.handle_quit  # that of ThreadWorker takes the pool's lock, which the interrupted code may hold

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[Connection, None] = {}
        self._next_look = self._accept_again = self._next_accept_warning = self._accept_fails_until = 0.0

    def get_thread_pool(self) -> LastUsedFirstExecutor:
        threads = LastUsedFirstExecutor(self.cfg.threads)
        self._one_thread = OneAtATimeExecutor(threads, max_wait_seconds=MAX_WAIT_FOR_ONE_THREAD)
        return threads

    def enqueue_req(self, conn: Connection) -> None:
        """Let a thread answer the request, and the event loop go on with the connection afterwards."""
        threads = self._one_thread if type(self).is_for_one_thread(conn.request.first_line) else self.tpool
        answered = threads.submit(self.handle, conn)
        answered.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def init_signals(self) -> None:
        """Finish open requests on Ctrl-C, and when the terminal closes, except under `nohup`, which ignores that signal."""
        hangup = signal.getsignal(signal.SIGHUP)
        super().init_signals()
        signal.signal(signal.SIGINT, self.handle_exit)
        signal.signal(signal.SIGHUP, signal.SIG_IGN if hangup is signal.SIG_IGN else self.handle_exit)

    def handle_exit(self, sig: int, frame: object) -> None:
        """Begin to stop. The event loop does it: a lock that this thread holds would never be free for a signal's handler."""
        if self.alive:
            self.method_queue.defer(type(self).stop_asked)
        super().handle_exit(sig, frame)

    def notify(self) -> None:
        """Note a turn of the event loop, except while nobody can connect. Gunicorn calls it in each."""
        super().notify()
        if time.monotonic() >= self._accept_fails_until:
            turns.note()

    def is_parent_alive(self) -> bool:
        return True  # whoever started this process may have ended

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection and wait for its request in the event loop."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno not in _NO_CLIENT:
                self._pause_accepting(error)
            return
        self._accept_fails_until = 0.0
        self.nr_conns += 1
        network = limited_network(client, proxies=type(self).trusted_proxies)
        connection = Connection(
            self.cfg, sock, client, listener.getsockname(), body_limit=type(self).body_limit, network=network
        )
        self._wait(connection)
        self._make_room(connection)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections, or do not. Called at every event, so it enables nothing before the end of a pause."""
        if not enabled or time.monotonic() >= self._accept_again:
            super().set_accept_enabled(enabled)

    def _pause_accepting(self, error: OSError) -> None:
        """Accept nothing for a second: the client stays in the system's queue, so the next attempt would fail at once."""
        now = time.monotonic()
        self._accept_again, self._accept_fails_until = now + ACCEPT_PAUSE_SECONDS, now + ACCEPT_FAILING_SECONDS
        if now >= self._next_accept_warning:
            self._next_accept_warning = now + SECONDS_BETWEEN_ACCEPT_WARNINGS
            self.log.error("New connections could not be accepted, so no page opens: %s. Trying every second.", error)
        self.set_accept_enabled(False)

    def murder_pending(self) -> None:
        """Close every connection whose request did not arrive in time. Called at every event; looks once a second."""
        self._one_thread.hand_over_late_work()
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + 1.0
        for connection in list(self._waiting):
            if not self.alive and not connection.request.started:
                connection.deadline = min(connection.deadline, now + STOPPING_SECONDS)
            if connection.deadline <= now:
                self._drop(connection, response=_TIMED_OUT if connection.request.started else b"")
        if self.nr_conns >= self.worker_connections and len(self._waiting) > 1:  # now nobody is accepted
            any(self._drop_unless_arrived(oldest) for oldest in list(self._waiting)[:-1])

    def finish_request(self, conn: Connection, fs: "Future[Any]") -> None:
        """Keep the connection for its next request, or close it. Runs in the event loop."""
        keep_alive = not fs.cancelled() and fs.exception() is None and bool(fs.result())
        next_request_bytes, is_complete = conn.request.surplus, not conn.request.body_left_out
        conn.request.close()
        if not (keep_alive and is_complete):
            self._close_after_drain(conn)
            return
        seconds = HEADER_SECONDS if next_request_bytes else self.cfg.keepalive
        conn.begin_request(
            seconds=seconds if self.alive else min(seconds, STOPPING_SECONDS), next_request_bytes=next_request_bytes
        )
        self._wait(conn)

    def handle_request(self, req: http.Request, conn: Connection) -> object:
        """Answer a request. Runs in a thread, which waits for the client only while it writes."""
        conn.sock.settimeout(WRITE_SECONDS)
        req._expected_100_continue = False  # the event loop has asked for the body already
        if conn.request.body_left_out:
            req.force_close()
        return super().handle_request(req, conn)

    def _wait(self, connection: Connection) -> None:
        if connection.request.stage is Stage.COMPLETE:
            self._start(connection)
            return
        connection.sock.setblocking(False)
        self._waiting[connection] = None
        self.poller.register(connection.sock, selectors.EVENT_READ, partial(self._read, connection))

    def _close_after_drain(self, connection: Connection) -> None:
        """Read and discard what the client still sends, for a moment: closing at once would lose the answer."""
        connection.is_draining = True
        connection.begin_request(seconds=DRAIN_SECONDS)
        try:
            connection.sock.shutdown(socket.SHUT_WR)
            self._wait(connection)
        except (OSError, ValueError):  # the client, or gunicorn after an error, has closed it
            self.nr_conns -= 1
            connection.close()

    def _read(self, connection: Connection, _: object) -> None:
        """Collect what has arrived, and start the request when it is complete."""
        if connection not in self._waiting:  # dropped after the event loop woke up
            return
        request, stage, is_first_read = connection.request, connection.request.stage, not connection.request.started
        try:
            data = connection.sock.recv(_READ_BYTES)
            if data and not connection.is_draining:
                request.feed(data)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:  # the client is gone, or there is no room for what it sends
            self._drop(connection)
            return
        if not data:
            self._drop(connection)
        elif request.stage is Stage.COMPLETE:
            self._leave_loop(connection)
            self._start(connection)
        elif request.stage is Stage.BODY and stage is Stage.HEADERS:
            self._begin_body(connection)
        elif is_first_read and not connection.is_draining:
            connection.deadline = time.monotonic() + HEADER_SECONDS

    def _begin_body(self, connection: Connection) -> None:
        length = connection.request.body_length
        connection.deadline = time.monotonic() + BODY_SECONDS + length / SLOWEST_BODY_BYTES_PER_SECOND
        if sum(waiting.request.body_length for waiting in self._waiting) > MAX_COLLECTED_BYTES:
            self._drop(connection, response=_TOO_BUSY)
        elif connection.request.expects_continue:
            try:
                connection.sock.send(_CONTINUE)
            except OSError:
                self._drop(connection)

    def _start(self, connection: Connection) -> None:
        connection.hand_over()
        self.enqueue_req(connection)

    def _make_room(self, new: Connection) -> None:
        """Close the oldest waiting connections if one network, or all together, have too many.

        A request that has arrived is never refused, however many come from one address: mailbox providers unsubscribe thousands
        of people from a few. So the new one stays. Gunicorn accepts nothing until there is room.
        """
        if new.network:
            same = [waiting for waiting in self._waiting if waiting.network == new.network]
            for connection in same[: max(0, len(same) - MAX_WAITING_PER_NETWORK)]:
                self._drop_unless_arrived(connection)
        if self.nr_conns >= self.worker_connections:
            any(self._drop_unless_arrived(oldest) for oldest in list(self._waiting) if oldest is not new)

    def _drop_unless_arrived(self, connection: Connection) -> bool:
        """Close a waiting connection, except if its request has arrived by now. Return True if it was closed."""
        self._read(connection, None)
        if is_waiting := connection in self._waiting:
            self._drop(connection)
        return is_waiting

    def _leave_loop(self, connection: Connection) -> None:
        self._waiting.pop(connection, None)
        self.poller.unregister(connection.sock)

    def _drop(self, connection: Connection, *, response: bytes = b"") -> None:
        self._leave_loop(connection)
        self.nr_conns -= 1
        if response:
            with suppress(OSError):
                connection.sock.send(response)
        connection.close()


def worker_class(
    *,
    body_limit: BodyLimit,
    trusted_proxies: Sequence[str],
    is_for_one_thread: Callable[[bytes], bool],
    stop_asked: Callable[[], object],
) -> type[CollectingWorker]:
    """Return the worker with these limits, for gunicorn's ``worker_class``."""
    limits = {
        "body_limit": staticmethod(body_limit),
        "trusted_proxies": tuple(trusted_proxies),
        "is_for_one_thread": staticmethod(is_for_one_thread),
        "stop_asked": staticmethod(stop_asked),
    }
    return type("Worker", (CollectingWorker,), limits)
