"""Paths on disk. Templates are beside the packages in a checkout, and inside them in a wheel."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
TEMPLATES = PACKAGE.parent / "templates"
if not TEMPLATES.is_dir():
    TEMPLATES = PACKAGE / "_templates"
EMAIL_TEMPLATES = TEMPLATES / "email"
WEB_TEMPLATES = TEMPLATES / "web"
