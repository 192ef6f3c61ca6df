"""Identities: the authority, certificates for hub, broker and nodes, and the broker's access rights."""
