"""What a node costs on air: a day in minutes on a real broker, read from the kernel."""
