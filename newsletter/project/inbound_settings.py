"""Read the settings of inbound mail."""

from newsletter.inbound.errors import BadInboundSetting
from newsletter.inbound.settings import InboundSources, parse_address, parse_sources
from newsletter.project.setting_values import read_text, read_words
from newsletter.project.settings_file import BadSetting

SOURCES, ADDRESS = "NEWSLETTER_INBOUND", "NEWSLETTER_INBOUND_ADDRESS"


def read_sources() -> InboundSources:
    """Return the mailboxes and webhooks. Raises BadSetting, also if only one of the two settings is there."""
    urls, address = read_words(SOURCES), read_text(ADDRESS, "")
    if bool(urls) != bool(address):
        raise BadSetting(
            SOURCES if urls else ADDRESS,
            f"{SOURCES} and {ADDRESS} need each other: one says where mail comes in, the other which address people write to. "
            "Set both, or neither.",
        )
    try:
        return parse_sources(urls)
    except BadInboundSetting as error:
        raise BadSetting(SOURCES, str(error)) from error


def read_address() -> str:
    """Return the address for replies and for mails that unsubscribe, or "". Raises BadSetting."""
    text = read_text(ADDRESS, "")
    if not text:
        return ""
    try:
        return parse_address(text)
    except BadInboundSetting as error:
        raise BadSetting(ADDRESS, str(error)) from error
