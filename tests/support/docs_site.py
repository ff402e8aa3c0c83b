"""The site of the documentation, built as `make site` builds it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.time_limits import START_SECONDS

CONFIG = Path(__file__).parents[2] / "scripts/docs_site/mkdocs.yml"


def build_site(folder: Path) -> Path:
    """Build the site into ``folder`` and return it. Fail with what MkDocs says if there is a warning."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", str(CONFIG), "-d", str(folder)],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    return folder
