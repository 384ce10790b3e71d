"""What the suite is told of each module. pyproject.toml names the declarations, in `gatehouse_module_tests`."""
