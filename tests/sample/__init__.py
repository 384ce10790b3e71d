"""A small module of its own aggregate: badges, which admins award to users. The whole suite runs with it."""
