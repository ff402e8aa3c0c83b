"""The WSGI application, for your own web server."""

import os

from newsletter.project.process_setup import prepare_process, restrict_data_folder

prepare_process()

from django.core.wsgi import get_wsgi_application  # noqa: E402  nothing may read a setting before

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
_pages = get_wsgi_application()
restrict_data_folder()

from newsletter.web.layers.wsgi_layers import wrap_pages  # noqa: E402  needs the settings

application = wrap_pages(_pages)
