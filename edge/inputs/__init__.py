"""What a node senses beside its lamps: doors, heat, the mains, motion. Decisions apart from pins."""
