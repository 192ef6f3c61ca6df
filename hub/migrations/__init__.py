"""How the database gets from any earlier version to this one."""
