"""API calls about lists, topics and segments."""
