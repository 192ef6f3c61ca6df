"""What several capabilities together tell of a place: put together here, from their reads."""
