"""Read reports in a separate child process, so that a slow or malicious report harms nothing else."""

import atexit

from newsletter.content.parsing.aggregate_reports.report import AggregateReport, ReportFile, ReportProblem
from newsletter.content.parsing.sandbox.process import (
    ParserCrashed,
    ResourceLimitExceeded,
    ResourceLimits,
    SandboxProcess,
)

LIMITS = ResourceLimits(cpu_seconds=10, wall_seconds=30.0, memory_bytes=256 * 1024 * 1024)
MAX_FILE_BYTES = 10 * 1024 * 1024
_child = SandboxProcess(task="aggregate_reports", limits=LIMITS)
atexit.register(_child.close)


def parse_report_in_sandbox(file: ReportFile, *, child: SandboxProcess = _child) -> AggregateReport | ReportProblem:
    """Return the answer of `parse_report`, made in the child. A file that exceeds a limit is too large."""
    if len(file.body) > MAX_FILE_BYTES:
        return ReportProblem.TOO_LARGE
    try:
        answer = child.run(file)
    except ResourceLimitExceeded:
        return ReportProblem.TOO_LARGE
    except ParserCrashed:
        return ReportProblem.NOT_A_REPORT
    return answer if isinstance(answer, AggregateReport | ReportProblem) else ReportProblem.NOT_A_REPORT
