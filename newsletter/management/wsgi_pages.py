"""The pages as a WSGI application, with what is answered before Django, for our own server and for yours."""

from wsgiref.types import WSGIApplication

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from newsletter.api.calls.middleware import API_URLS
from newsletter.web.layers.monitoring_endpoints import MonitoringMiddleware
from newsletter.web.layers.request_ids import RequestIdMiddleware
from newsletter.web.layers.request_timing import RequestTimingMiddleware
from subscribers.web.one_click_middleware import OneClickMiddleware


def load_pages() -> WSGIApplication:
    """Import every page now. Else the first visitor would wait for it, and everybody else with them."""
    pages = get_wsgi_application()
    for resolver in (get_resolver(), get_resolver(API_URLS)):
        resolver.url_patterns  # noqa: B018
    return RequestIdMiddleware(RequestTimingMiddleware(MonitoringMiddleware(OneClickMiddleware(pages))))
