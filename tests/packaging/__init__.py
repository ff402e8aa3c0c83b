"""Builds the packages, installs them as a stranger would, and runs what is installed: `make packaging`."""
