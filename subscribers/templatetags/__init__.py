"""Template tags of the subscribers app."""
