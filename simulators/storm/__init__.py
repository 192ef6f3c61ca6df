"""A storm night on one road: the real agent, its lamps, mains, 4G and clocks, in virtual time."""
