"""How messages leave the hub: each transport says whether a failure is for good or passes."""
