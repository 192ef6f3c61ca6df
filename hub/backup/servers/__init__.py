"""PostgreSQL and InfluxDB by their own programs."""
