"""API calls about stories, events, appeals and sources."""
