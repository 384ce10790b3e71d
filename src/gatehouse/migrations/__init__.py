"""Alembic runs what is here. It is a package only so that `lint-imports` can see that nobody imports it."""
