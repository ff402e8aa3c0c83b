"""The address where providers report. It answers 200 only for what is committed; it decides nothing about mail."""

import logging
from datetime import UTC, datetime

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from newsletter.common.database_deadlines import wait_at_most
from newsletter.feedback.endpoint import check_secret, is_configured, require_key
from newsletter.feedback.receive import LARGEST_BODY, store_webhook
from newsletter.providers.base.errors import BadProviderUrl, BadWebhook
from newsletter.providers.base.webhooks.call import CannotCheckWebhook, WebhookCall
from newsletter.providers.webhook_readers import READERS

log = logging.getLogger(__name__)
PATIENCE_SECONDS = 5.0


@csrf_exempt
@require_POST
def take_webhook(request: HttpRequest, provider: str, secret: str) -> HttpResponse:
    """200 once stored; 401 (Mailgun: 406, "do not repeat") for what is not believed; 503 to be repeated.

    404 for every provider but the one that mail goes out through; 401 where no key is set, which can be mended.
    """
    if _length(request) > LARGEST_BODY:
        return _say(413, f"A report of more than {LARGEST_BODY:,} bytes is not taken. Have fewer events sent at once.")
    try:
        if provider not in READERS or not is_configured(provider):
            return _say(404, "No provider of this name reports here.")
        check_secret(provider=provider, secret=secret)
    except BadProviderUrl as error:
        return _say(503, str(error))
    except BadWebhook as error:
        return _say(READERS[provider].refusal, str(error))
    try:
        require_key(provider)
    except BadWebhook as error:
        log.error("%s", error)
        return _say(401, str(error))
    try:
        call = WebhookCall(request.body, {name.lower(): value for name, value in request.headers.items()})
        with wait_at_most(PATIENCE_SECONDS):
            taken = store_webhook(provider=provider, secret=secret, call=call, now=datetime.now(UTC))
    except BadWebhook as error:
        log.warning("A webhook of %s was refused: %s", provider, error)
        return _say(READERS[provider].refusal, str(error))
    except UnreadablePostError:
        return _say(400, "The report broke off on its way.")
    except CannotCheckWebhook as error:
        log.warning("A webhook of %s could not be checked: %s", provider, error)
        return _say(503, str(error))
    except (DatabaseError, InterfaceError) as error:
        log.error(
            "A webhook of %s could not be stored (%s). The provider was asked to repeat it.",
            provider,
            type(error).__name__,
        )
        return _say(503, "The report could not be stored. Send it again later.")
    return _say(200, f"{taken} taken")


def _length(request: HttpRequest) -> int:
    said = request.META.get("CONTENT_LENGTH") or "0"
    return int(said) if said.isdecimal() else 0


def _say(status: int, words: str) -> HttpResponse:
    return HttpResponse(words, status=status, content_type="text/plain; charset=utf-8")
