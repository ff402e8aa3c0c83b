"""The WSGI application, for whoever serves the product with a web server of their own."""

import os

from newsletter.project.entry import close_data, enter

enter()

from django.core.wsgi import get_wsgi_application  # noqa: E402  nothing may read a setting before

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
_pages = get_wsgi_application()
close_data()

from subscribers.web.one_click import OneClickFirst  # noqa: E402  needs the settings

application = OneClickFirst(_pages)
