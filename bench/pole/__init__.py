"""What a node costs, and what it sees: measured on one agent, or on its decisions alone."""
