"""What stands where: areas, feeders, nodes, poles and cameras, and how staff find them."""
