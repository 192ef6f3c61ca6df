"""What each pole needed, was given and has cost: an append-only double-entry ledger in whole đồng."""
