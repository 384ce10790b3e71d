pytest_plugins = ["gatehouse.testing.plugin"]
