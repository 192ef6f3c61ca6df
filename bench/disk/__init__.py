"""What a node's disk goes through: power cuts, wear, and a hub that is away for a month."""
