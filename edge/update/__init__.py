"""The agent's own update: install a release beside the running one, try it, keep it once the hub confirms."""
