"""Measure what the web process serves: its start, the pages of the desk, the editor, the API and one-click unsubscribing."""
