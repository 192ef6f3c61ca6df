"""What goes over the network in campaigns: prepared load, malformed messages, a link that misbehaves."""
