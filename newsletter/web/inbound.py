"""The endpoint for mails that a provider posts. It answers 200 only after they are stored; a job acts on them."""

import logging
import threading
from datetime import UTC, datetime

from django.db import DatabaseError, IntegrityError, InterfaceError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from newsletter.common.database.deadlines import database_deadline
from newsletter.inbound.errors import NoWholeMail
from newsletter.inbound.store import store_mail
from newsletter.inbound.webhooks import MAX_BODY_BYTES, find_webhook, inbound_secret, read_posted_mails
from newsletter.providers.base.errors import BadProviderUrl, BadWebhook
from newsletter.providers.base.webhooks.verification import WebhookRequest
from newsletter.web.webhooks import DATABASE_WAIT_SECONDS, REFUSED

log = logging.getLogger(__name__)
LARGE_BYTES = 2 * 1024 * 1024
"""From this size on, one mail at a time is taken apart, so that several do not fill the memory."""
_large = threading.Semaphore(1)


@csrf_exempt
@require_POST
def receive_mail(request: HttpRequest, provider: str, secret: str) -> HttpResponse:
    """Store the mails of a call: answer 200 once stored, 503 or 400 to be called again, 401 if not authentic."""
    webhook = find_webhook(provider)
    if webhook is None:
        return _respond(404, "No mail of this provider is taken here. Name the provider in NEWSLETTER_INBOUND.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        return _respond(
            413,
            f"The mail is larger than {MAX_BODY_BYTES:,} bytes and was not taken. Its sender can send a smaller one.",
        )
    if not constant_time_compare(inbound_secret(provider), secret):
        return _respond(
            REFUSED,
            "The URL is not the one for this provider's mails, so it was refused. Copy it from `newsletter doctor`.",
        )
    is_large = int(length) > LARGE_BYTES
    if is_large and not _large.acquire(blocking=False):
        return _respond(503, "Another large mail is being taken. Send this one again in a minute.")
    try:
        call = WebhookRequest(request.read(), {name.lower(): value for name, value in request.headers.items()})
        now = datetime.now(UTC)
        with database_deadline(DATABASE_WAIT_SECONDS):
            for posted in read_posted_mails(webhook, call, now=now):
                store_mail(raw=posted.raw, origin=provider, once=posted.once, now=now)
    except BadWebhook as error:
        log.warning("A mail that %s posted was refused: %s", provider, error)
        return _respond(REFUSED, str(error))
    except NoWholeMail as error:
        log.error("A mail that %s posted was not taken: %s", provider, error)
        return _respond(400, str(error))
    except UnreadablePostError:
        return _respond(400, "The mail is incomplete and was not taken. Send it again.")
    except BadProviderUrl as error:
        return _respond(503, str(error))
    except IntegrityError:
        return _respond(
            REFUSED,
            "The token was used before for another mail, so this is probably a copy and was refused. If the mail is missing, "
            "post it again with a new token.",
        )
    except (DatabaseError, InterfaceError) as error:
        log.error("A mail that %s posted was not stored (%s). It was asked for again.", provider, type(error).__name__)
        return _respond(503, "The mail could not be stored. Send it again later.")
    finally:
        if is_large:
            _large.release()
    return _respond(200, "taken")


def _respond(status: int, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
