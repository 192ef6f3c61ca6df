"""From the broker to the commit: judged, deduplicated, stored as one transaction, then confirmed."""
