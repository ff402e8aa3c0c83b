"""The process that fills PostgreSQL in a move begins without Django."""

import subprocess
import sys


def test_the_process_of_a_move_can_begin_before_django_is_set_up() -> None:
    code = (
        "import pickle; from newsletter.backups.moving.target_process import _fill; pickle.loads(pickle.dumps(_fill))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
