"""How long a test waits for what has no limit of its own. A limit that the product promises stays in its test."""

START_SECONDS = 1_800
"""Only a program that hangs takes longer to start, to end or to prepare a test.

A demo took 12 minutes beside other work that filled the processors.
"""

ANSWER_SECONDS = 300
"""Only a program that hangs takes longer for its next step: a page, a mail, a call, the end of a send.

Beside other work that filled the processors, a preview took more than a minute.
"""
