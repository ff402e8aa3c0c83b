"""Run a command beside a PostgreSQL of its own. Without the binaries, print that its tests are skipped."""

import sys

from tests.support.postgres import find_binary, main

if not find_binary("initdb") or not find_binary("postgres"):
    sys.stdout.write("PostgreSQL's binaries are not on this machine: the database tests ran on SQLite only.\n")
    sys.exit(0)
sys.exit(main(sys.argv[1:]))
