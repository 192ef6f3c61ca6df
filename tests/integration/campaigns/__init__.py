"""Campaigns against the whole house; the long ones are `make soak`."""
