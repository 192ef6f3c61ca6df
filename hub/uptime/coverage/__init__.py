"""What was seen of each lamp and camera, minute by minute, and how it is kept."""
