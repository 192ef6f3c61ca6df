"""What was made on the node and not yet confirmed: kept on disk, in order, under one count."""
