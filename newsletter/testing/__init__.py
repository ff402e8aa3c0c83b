"""Contract suites for extensions: a package of extensions runs them with pytest."""
