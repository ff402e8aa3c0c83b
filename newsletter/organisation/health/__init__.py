"""The health of an installation: checks with a level (ok, warning, error) and what to do.

Checks change nothing, except that the journal check adds missing lines to the suppression journal.
"""
