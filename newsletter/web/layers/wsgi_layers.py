"""Put together what is answered before Django, in one order for every server."""

from wsgiref.types import WSGIApplication

from newsletter.web.layers.monitoring_endpoints import MonitoringMiddleware
from newsletter.web.layers.request_ids import RequestIdMiddleware
from newsletter.web.layers.request_timing import RequestTimingMiddleware
from subscribers.web.one_click_middleware import OneClickMiddleware


def wrap_pages(pages: WSGIApplication) -> WSGIApplication:
    """Return the whole application around Django's."""
    return RequestIdMiddleware(RequestTimingMiddleware(MonitoringMiddleware(OneClickMiddleware(pages))))
