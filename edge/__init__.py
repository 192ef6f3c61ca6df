"""The agent on a pole: it lights the road alone, and tells the hub what it sees."""
