"""Bringing files of people in. Pure readers of files stand beside the services that write; models are elsewhere."""
