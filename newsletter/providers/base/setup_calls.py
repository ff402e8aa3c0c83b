"""Call a provider's interface for webhooks: one attempt for each call, and an error that says what to do."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

import orjson

from newsletter.common.messages import Message
from newsletter.providers.base.contract import HttpCaller, HttpRequest, ProviderResponse
from newsletter.providers.base.errors import TransportError, WebhookSetupError
from newsletter.providers.base.json_values import Row, as_list, as_mapping, parse_json_or_none
from newsletter.providers.base.mail.multipart import build_multipart
from newsletter.providers.base.responses import mask_provider_text, quote_provider, read_retry_after

MAX_PAGES = 50
_MAX_MESSAGE = 300


@dataclass(frozen=True)
class SetupAccount:
    """The account that is asked about its webhooks.

    ``provider``, ``setting`` and ``right`` are for errors: the provider's name, the setting with the account, and the right
    that our key needs. No error contains the ``secrets``.
    """

    provider: str
    setting: str
    right: str
    endpoint: str
    secrets: Sequence[str] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)


class SetupCalls:
    """The calls of one account. No text that they raise contains the key, a password or our address."""

    def __init__(self, account: SetupAccount, *, transport: HttpCaller, seconds_between: float = 0.0) -> None:
        self._account = account
        self._secrets = tuple(secret for secret in account.secrets if secret)
        self._transport = transport
        self._seconds_between = seconds_between
        self._last_call = -seconds_between

    def close(self) -> None:
        self._transport.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        document: object = None,
        form: Sequence[tuple[str, str]] | None = None,
        fields: Sequence[tuple[str, str]] | None = None,
        accept: Sequence[int] = (),
    ) -> ProviderResponse:
        """Return a complete answer of 2xx, or of a status in ``accept``. Raise WebhookSetupError for any other.

        The body is a JSON ``document``, a ``form`` of a URL's kind, or multipart ``fields``.
        """
        body, content_type = _encode(document, form, fields)
        headers = {"Accept": "application/json", **self._account.headers, **content_type}
        request = HttpRequest(method, f"{self._account.endpoint}{path}", headers, body, self._account.auth)
        time.sleep(max(0.0, self._last_call + self._seconds_between - time.monotonic()))
        self._last_call = time.monotonic()
        try:
            answer = self._transport.call(request)
        except TransportError as error:
            raise WebhookSetupError(
                "%(provider)s could not be asked about its webhooks. %(error)s Try again: what is set up already stays.",
                provider=self._account.provider,
                error=error,
            ) from error
        if answer.status in accept or (200 <= answer.status < 300 and answer.complete):
            return answer
        raise WebhookSetupError(quote_provider(self._explain(answer), self._read_message(answer)))

    def get_json(self, path: str) -> object:
        """Return the JSON at a path. Raise WebhookSetupError, also for an answer that is not JSON."""
        return self.read_json(self.call("GET", path))

    def read_json(self, answer: ProviderResponse) -> object:
        parsed = parse_json_or_none(answer.body)
        if parsed is None:
            raise self.unreadable()
        return parsed

    def list_rows(self, path: str, name: str, *, find_next: Callable[[Row], str] | None = None) -> list[Row]:
        """Return the rows under ``name`` of a page and those after it. ``find_next`` returns the next path, or ""."""
        rows: list[Row] = []
        for page in self._read_pages(path, find_next):
            page_rows = page.get(name)
            if not isinstance(page_rows, list):
                raise self.unreadable()
            rows += [as_mapping(row) for row in as_list(page_rows)]
        return rows

    def unreadable(self) -> WebhookSetupError:
        return WebhookSetupError(
            "%(provider)s’s answer about its webhooks cannot be read. Nothing was changed after it. Check the endpoint in "
            "%(setting)s and try again.",
            provider=self._account.provider,
            setting=self._account.setting,
        )

    def _read_pages(self, path: str, find_next: Callable[[Row], str] | None) -> Iterator[Row]:
        for _ in range(MAX_PAGES):
            page = as_mapping(self.get_json(path))
            yield page
            following = find_next(page) if find_next else ""
            if not following or following == path:
                return
            path = following
        raise WebhookSetupError(
            "%(provider)s lists more than %(pages)s pages of webhooks, and ours was not looked for in the rest. Delete "
            "webhooks that nobody needs, then try again.",
            provider=self._account.provider,
            pages=MAX_PAGES,
        )

    def _explain(self, answer: ProviderResponse) -> str:
        status = answer.status
        if status in (401, 403):
            return Message(
                "%(provider)s does not let our key manage webhooks (answer %(status)s). Give the key this right: "
                "%(right)s. Or enter the address at the provider by hand.",
                provider=self._account.provider,
                status=status,
                right=self._account.right,
            )
        if status in (420, 429):
            wait = read_retry_after(answer, now=datetime.now(UTC))
            return Message(
                "%(provider)s asked us to slow down, so its webhooks were not looked at. Try again in %(seconds)s seconds.",
                provider=self._account.provider,
                seconds=round(wait or 60),
            )
        if status >= 500:
            return Message(
                "%(provider)s had an internal error (answer %(status)s). Try again later: what is set up already stays.",
                provider=self._account.provider,
                status=status,
            )
        return Message(
            "%(provider)s did not set up the webhook (answer %(status)s). Read what it said, or enter the address at "
            "the provider by hand.",
            provider=self._account.provider,
            status=status,
        )

    def _read_message(self, answer: ProviderResponse) -> str:
        parsed = parse_json_or_none(answer.body)
        text = _find_message(parsed) if parsed is not None else _read_xml_message(answer.body)
        return mask_provider_text(text, secrets=self._secrets, max_length=_MAX_MESSAGE)


def _encode(
    document: object, form: Sequence[tuple[str, str]] | None, fields: Sequence[tuple[str, str]] | None
) -> tuple[bytes, dict[str, str]]:
    if fields is not None:
        body, content_type = build_multipart([(name, value.encode()) for name, value in fields], key=repr(fields))
        return body, {"Content-Type": content_type}
    if form is not None:
        return urlencode(form).encode("ascii"), {"Content-Type": "application/x-www-form-urlencoded"}
    if document is not None:
        return orjson.dumps(document), {"Content-Type": "application/json"}
    return b"", {}


def _find_message(parsed: object) -> str:
    row = as_mapping(parsed)
    first = as_mapping(next(iter(as_list(row.get("errors"))), None))
    names = ("message", "Message", "ErrorMessage", "error", "Reason", "reason", "description")
    texts = [source.get(name) for source in (first, row) for name in names]
    return next((text for text in texts if isinstance(text, str) and text), "")


def _read_xml_message(body: bytes) -> str:
    text = body[:4000].decode("utf-8", "replace")
    _, tag, rest = text.partition("<Message>")
    return rest.partition("</Message>")[0] if tag else ""
