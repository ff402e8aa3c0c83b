pytest_plugins = ["tests.support.provider_fixtures", "tests.support.fixtures"]
