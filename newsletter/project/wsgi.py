"""The WSGI application, for your own web server."""

import os

from newsletter.project.process_setup import prepare_process, restrict_data_folder

prepare_process()

import django  # noqa: E402  nothing may read a setting before

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
django.setup()
restrict_data_folder()

from newsletter.management.wsgi_pages import load_pages  # noqa: E402  needs the settings

application = load_pages()
