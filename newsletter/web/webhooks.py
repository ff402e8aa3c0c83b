"""The endpoint for webhooks of providers. It answers 200 only after the report is committed."""

import logging
from datetime import UTC, datetime

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from newsletter.common.database.deadlines import database_deadline
from newsletter.feedback.endpoint import find_account_of_secret, is_configured, list_former_keys, require_key
from newsletter.feedback.receive import MAX_BODY_BYTES, store_webhook
from newsletter.providers.base.errors import BadProviderUrl, BadWebhook
from newsletter.providers.base.webhooks.verification import WebhookCheckUnavailable, WebhookRequest
from newsletter.providers.registry import WEBHOOK_HANDLERS

log = logging.getLogger(__name__)
DATABASE_WAIT_SECONDS = 5.0
REFUSED = 401
"""Providers repeat the call. Mailgun would not after 406, so a wrong key would cost its reports."""


@csrf_exempt
@require_POST
def receive_webhook(request: HttpRequest, provider: str, secret: str) -> HttpResponse:
    """Store a report: answer 200 once stored, 503 to have it repeated, `REFUSED` if it is not authentic.

    Answer 404 for every provider except the configured one, and 401 if no key is set, so that providers repeat it.
    """
    if _body_length(request) > MAX_BODY_BYTES:
        return _text_response(
            413, f"The report is larger than {MAX_BODY_BYTES:,} bytes and was not stored. Send fewer events at once."
        )
    try:
        if not is_configured(provider) or provider not in WEBHOOK_HANDLERS:
            return _text_response(
                404,
                "No provider of this name reports here, so the report was refused. Copy the URL from `newsletter doctor`.",
            )
        find_account_of_secret(provider=provider, secret=secret)
    except BadProviderUrl as error:
        return _text_response(503, str(error))
    except BadWebhook as error:
        return _text_response(REFUSED, str(error))
    try:
        call = WebhookRequest(request.body, {name.lower(): value for name, value in request.headers.items()})
    except UnreadablePostError:
        return _text_response(400, "The report is incomplete and was not stored. Send it again.")
    if WEBHOOK_HANDLERS[provider].is_question(call):
        return _text_response(200, "This address takes reports.")
    now = datetime.now(UTC)
    try:
        with database_deadline(DATABASE_WAIT_SECONDS):
            if not list_former_keys(provider, now=now):
                require_key(provider)
    except BadWebhook as error:
        log.error("%s", error)
        return _text_response(401, str(error))
    except (DatabaseError, InterfaceError) as error:
        return _database_failed(provider, error)
    try:
        with database_deadline(DATABASE_WAIT_SECONDS):
            stored = store_webhook(provider=provider, secret=secret, call=call, now=now)
    except BadWebhook as error:
        return _refuse(provider, error)
    except WebhookCheckUnavailable as error:
        log.warning("A webhook of %s could not be checked: %s", provider, error)
        return _text_response(503, str(error))
    except (DatabaseError, InterfaceError) as error:
        return _database_failed(provider, error)
    return _text_response(200, f"{stored} taken")


def _refuse(provider: str, error: BadWebhook) -> HttpResponse:
    """Log if no configured account has a key: then only reports with a former key are accepted."""
    try:
        with database_deadline(DATABASE_WAIT_SECONDS):
            require_key(provider)
    except BadWebhook as missing:
        log.error("%s", missing)
        return _text_response(401, str(missing))
    except (DatabaseError, InterfaceError) as failed:
        return _database_failed(provider, failed)
    log.warning("A webhook of %s was refused: %s", provider, error)
    return _text_response(REFUSED, str(error))


def _database_failed(provider: str, error: Exception) -> HttpResponse:
    log.error(
        "The database did not store a webhook of %s (%s). The provider was asked to send it again.",
        provider,
        type(error).__name__,
    )
    return _text_response(503, "The report could not be stored. Send it again later.")


def _body_length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0


def _text_response(status: int, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
