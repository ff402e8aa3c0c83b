"""Clear what a process keeps between requests, so that a test does not see what an earlier one left."""

from math import inf

from newsletter.common import installed_entry_points
from newsletter.common.database import deadlines
from newsletter.content.ingesting import wordpress_listing
from newsletter.desk.issues.audience import recipient_counts
from newsletter.issues.protected_terms import matcher
from newsletter.issues.variants import reader_zones
from newsletter.sending.limits import each_send
from subscribers.consent import throttle
from subscribers.web import branding


def clear_branding_cache() -> None:
    branding._read_branding.cache_clear()


def clear_kept_audiences() -> None:
    """Forget the zones and the counts of large audiences: the next test's issue has the same id."""
    reader_zones._cache.clear()
    recipient_counts._cache.clear()


def close_circuit() -> None:
    """Forget that the database did not answer: pages of the next test would refuse to ask it for two seconds."""
    deadlines._circuit["until"] = -inf


def clear_logged_errors() -> None:
    """Forget the errors of the last minute, which are not logged twice."""
    each_send._logged_at.clear()


def clear_term_matcher() -> None:
    matcher._latest.clear()


def clear_bad_link_cache() -> None:
    """Forget the networks above the limit. The counts in the database stay."""
    throttle._bad_networks.clear()


def clear_wordpress_roots() -> None:
    wordpress_listing._roots.clear()


def clear_entry_points() -> None:
    installed_entry_points._read.cache_clear()
