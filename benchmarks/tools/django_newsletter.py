"""django-newsletter, with django-anymail's Mailgun backend, in a virtual environment of its own."""

import sys
from pathlib import Path

from benchmarks.tools.base import Tool, plain_environment

_SITE = Path(__file__).parent / "django_newsletter_site"
_PACKAGES = ("django-newsletter", "django-anymail", "sorl-thumbnail", "Pillow")


class DjangoNewsletter(Tool):
    name = "django-newsletter"
    about_kills = (
        "The killed submission stays marked as being sent, so the second run does nothing. An administrator who resets the mark"
        " mails everybody again, because no record of each person is kept (its source, `Submission.submit`)."
    )
    description = "`submit_newsletter` through django-anymail: one person a call, one call at a time"

    def version(self) -> str:
        names = "django-newsletter", "django-anymail", "Django"
        code = f"from importlib.metadata import version; print(', '.join(f'{{n}} {{version(n)}}' for n in {names!r}))"
        return self.run([str(self._python), "-c", code]).strip()

    def prepare(self, people: int) -> None:
        if not self._python.exists():
            self.run([sys.executable, "-m", "venv", str(self._python.parents[1])])
            self.run([str(self._python), "-m", "pip", "install", "--quiet", *_PACKAGES])
        self.run([*self._admin(), "migrate", "--verbosity", "0"])
        self.run([str(self._python), str(_SITE / "fill.py"), str(people)])

    def send_command(self) -> list[str]:
        return [*self._admin(), "submit_newsletter"]

    def environment(self) -> dict[str, str]:
        return {
            **plain_environment(),
            "PYTHONPATH": str(_SITE),
            "DJANGO_SETTINGS_MODULE": "site_settings",
            "BENCH_DATABASE": str(self.folder / "bench.sqlite3"),
            "BENCH_PROVIDER": self.provider_url,
        }

    @property
    def _python(self) -> Path:
        return self.folder.parent / "django-newsletter-venv" / "bin" / "python"

    def _admin(self) -> list[str]:
        return [str(self._python), "-m", "django"]
