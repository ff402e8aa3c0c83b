"""Post one form or JSON document outside and return the answer, guarded like the fetcher. Redirects are not followed."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from newsletter.content.fetching.connections import PinnedAdapter, PinnedConnection
from newsletter.content.fetching.errors import TooSlow
from newsletter.content.fetching.fetcher import Limits
from newsletter.content.fetching.poster import check_post_address, prepare_post
from newsletter.content.fetching.responses import read_body, to_fetch_error
from newsletter.content.fetching.url_guard import check_url


@dataclass(frozen=True)
class PostAnswer:
    """One answer. ``date`` is when the server says that it answered, or None if it does not say."""

    status: int
    body: bytes
    date: datetime | None = None


def post_form(
    url: str, fields: Mapping[str, str], *, headers: Mapping[str, str], allow: Sequence[str], limits: Limits
) -> PostAnswer:
    """Return the answer with any status. Raises a FetchError.

    Plain http is only for a host that ``allow`` names, because the form may carry a secret.
    """
    return _post(url, fields, headers=headers, allow=allow, limits=limits)


def post_json(
    url: str, document: Mapping[str, object], *, headers: Mapping[str, str], allow: Sequence[str], limits: Limits
) -> PostAnswer:
    """Return the answer with any status. Raises a FetchError, also for plain http to a host that ``allow`` lacks."""
    body = json.dumps(document).encode()
    return _post(url, body, headers={**headers, "Content-Type": "application/json"}, allow=allow, limits=limits)


def _post(
    url: str, data: Mapping[str, str] | bytes, *, headers: Mapping[str, str], allow: Sequence[str], limits: Limits
) -> PostAnswer:
    deadline = time.monotonic() + limits.total
    host = check_url(url).hostname or ""
    prepared = prepare_post(url, data=data, headers=headers)
    connection = PinnedConnection(check_post_address(url, allow=allow))
    timer = threading.Timer(max(deadline - time.monotonic(), 0.0), connection.shut)
    timer.daemon = True
    timer.start()
    try:
        with (
            closing(PinnedAdapter(connection)) as adapter,
            adapter.send(prepared, stream=True, timeout=(limits.connect, limits.first_byte), verify=True) as response,
        ):
            encoding = response.headers.get("Content-Encoding", "")
            body = read_body(response.raw, encoding=encoding, max_bytes=limits.max_bytes, deadline=deadline, site=host)
            if time.monotonic() >= deadline:
                raise TooSlow("%(site)s sent its answer too slowly. We will try again later.", site=host)
            return PostAnswer(response.status_code, body, _read_date(response.headers.get("Date", "")))
    except (HTTPError, RequestException, OSError) as error:
        raise to_fetch_error(error, host=host, late=time.monotonic() >= deadline) from error
    finally:
        timer.cancel()
        connection.close()


def _read_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
