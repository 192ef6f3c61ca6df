"""What InfluxDB 1.x, 2.x and 3 Core are asked, and how their answers are understood."""
