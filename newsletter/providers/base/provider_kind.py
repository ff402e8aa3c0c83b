"""The interface of a provider, for extensions of the group ``newsletter.providers``."""

from typing import ClassVar

from newsletter.common.extension_registry import BadExtension, Extension
from newsletter.providers.base.provider_adapter import ProviderAdapter
from newsletter.providers.base.webhook_setup import WebhookSetup
from newsletter.providers.base.webhooks.verification import WebhookHandler


class ProviderKind(Extension):
    """A provider. Its name is the scheme of its NEWSLETTER_PROVIDER_URL, of its ``offer`` and of its webhooks.

    ``webhooks`` is None for a provider that reports nothing. ``webhook_setup`` is None for a provider whose webhooks are
    entered by hand.
    """

    adapter: ClassVar[type[ProviderAdapter]]
    webhooks: ClassVar[WebhookHandler | None]
    webhook_setup: ClassVar[type[WebhookSetup] | None] = None


def check_provider(name: str, kind: ProviderKind) -> None:
    """Raise BadExtension if the provider has another name in one of its parts, or if its adapter is unfinished."""
    names = {
        "url_rules.scheme": kind.adapter.url_rules.scheme,
        "offer.name": kind.adapter.offer.name,
        "webhooks.name": kind.webhooks.name if kind.webhooks else name,
    }
    for part, part_name in names.items():
        if part_name != name:
            raise BadExtension("its %(part)s is “%(found)s”, not “%(name)s”", part=part, found=part_name, name=name)
    lacking = sorted(kind.adapter.__abstractmethods__)
    lacking += [part for part in ("label", "own_domain") if not hasattr(kind.adapter, part)]
    if kind.webhook_setup is not None:
        lacking += sorted(kind.webhook_setup.__abstractmethods__)
        lacking += [part for part in ("adapter", "right") if not hasattr(kind.webhook_setup, part)]
    if lacking:
        raise BadExtension("its adapter lacks %(names)s", names=", ".join(lacking))
