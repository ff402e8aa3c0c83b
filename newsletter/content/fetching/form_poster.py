"""Post one form to an address outside and return the answer, guarded like the fetcher. Redirects are not followed."""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing

import requests
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from newsletter.content.fetching.connections import PinnedAdapter, PinnedConnection
from newsletter.content.fetching.errors import Refused, TooSlow
from newsletter.content.fetching.fetcher import Limits
from newsletter.content.fetching.poster import check_post_address
from newsletter.content.fetching.responses import read_body, to_fetch_error
from newsletter.content.fetching.url_guard import check_url


def post_form(
    url: str, fields: Mapping[str, str], *, headers: Mapping[str, str], allow: Sequence[str], limits: Limits
) -> tuple[int, bytes]:
    """Return the status and the body of the answer, whatever the status. Raises a FetchError.

    Plain http is only for a host that ``allow`` names, because the form may carry a secret.
    """
    deadline = time.monotonic() + limits.total
    host = check_url(url).hostname or ""
    try:
        prepared = requests.Request("POST", url, data=dict(fields), headers=dict(headers)).prepare()
    except RequestException as error:
        raise Refused("“%(url)s” is not a web address. Copy the address from your browser.", url=url[:200]) from error
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
            return response.status_code, body
    except (HTTPError, RequestException, OSError) as error:
        raise to_fetch_error(error, host=host, late=time.monotonic() >= deadline) from error
    finally:
        timer.cancel()
        connection.close()
