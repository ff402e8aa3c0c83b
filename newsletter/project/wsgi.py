"""The WSGI application, for whoever serves the product with a web server of their own."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
_pages = get_wsgi_application()

from subscribers.web.express import OneClickFirst  # noqa: E402  needs the settings

application = OneClickFirst(_pages)
