"""The address where providers report. It answers 200 only for what is committed; it decides nothing about mail."""

import logging
from datetime import UTC, datetime

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from newsletter.common.database_deadlines import database_deadline
from newsletter.feedback.endpoint import check_secret, is_configured, require_key
from newsletter.feedback.receive import MAX_BODY_BYTES, store_webhook
from newsletter.providers.base.errors import BadProviderUrl, BadWebhook
from newsletter.providers.base.webhooks.verification import WebhookCheckUnavailable, WebhookRequest
from newsletter.providers.registry import WEBHOOK_HANDLERS

log = logging.getLogger(__name__)
DATABASE_WAIT_SECONDS = 5.0


@csrf_exempt
@require_POST
def receive_webhook(request: HttpRequest, provider: str, secret: str) -> HttpResponse:
    """200 once stored; 401 (Mailgun: 406, "do not repeat") for what is not believed; 503 to be repeated.

    404 for every provider but the one that mail goes out through; 401 where no key is set, which can be mended.
    """
    if _body_length(request) > MAX_BODY_BYTES:
        return _text_response(
            413, f"A report of more than {MAX_BODY_BYTES:,} bytes is not taken. Have fewer events sent at once."
        )
    try:
        if provider not in WEBHOOK_HANDLERS or not is_configured(provider):
            return _text_response(404, "No provider of this name reports here.")
        check_secret(provider=provider, secret=secret)
    except BadProviderUrl as error:
        return _text_response(503, str(error))
    except BadWebhook as error:
        return _text_response(WEBHOOK_HANDLERS[provider].refusal_status, str(error))
    try:
        require_key(provider)
    except BadWebhook as error:
        log.error("%s", error)
        return _text_response(401, str(error))
    try:
        call = WebhookRequest(request.body, {name.lower(): value for name, value in request.headers.items()})
        with database_deadline(DATABASE_WAIT_SECONDS):
            taken = store_webhook(provider=provider, secret=secret, call=call, now=datetime.now(UTC))
    except BadWebhook as error:
        log.warning("A webhook of %s was refused: %s", provider, error)
        return _text_response(WEBHOOK_HANDLERS[provider].refusal_status, str(error))
    except UnreadablePostError:
        return _text_response(400, "The report broke off on its way.")
    except WebhookCheckUnavailable as error:
        log.warning("A webhook of %s could not be checked: %s", provider, error)
        return _text_response(503, str(error))
    except (DatabaseError, InterfaceError) as error:
        log.error(
            "A webhook of %s could not be stored (%s). The provider was asked to repeat it.",
            provider,
            type(error).__name__,
        )
        return _text_response(503, "The report could not be stored. Send it again later.")
    return _text_response(200, f"{taken} taken")


def _body_length(request: HttpRequest) -> int:
    said = request.META.get("CONTENT_LENGTH") or "0"
    return int(said) if said.isdecimal() else 0


def _text_response(status: int, words: str) -> HttpResponse:
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")
