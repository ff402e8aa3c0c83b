"""Segment rules: whom they select, their text, their count. Who may be mailed is for `audience`."""
