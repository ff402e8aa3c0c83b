"""Run `newsletter bench` with the same arguments on the PostgreSQL that tests.support.postgres_if_installed started."""

import os
import subprocess
import sys

DATABASE = "NEWSLETTER_TEST_DATABASE_URL"

if __name__ == "__main__":
    if DATABASE not in os.environ:
        sys.exit(f"{DATABASE} is not set, so there is no PostgreSQL to measure on. Run: make bench-postgres")
    command = [sys.executable, "-m", "newsletter.project.cli", "bench", *sys.argv[1:]]
    environment = {**os.environ, "DATABASE_URL": os.environ[DATABASE]}
    sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603 - our own command
