"""The commune's side: takes the nodes' word in, keeps state, incidents, telemetry and money, and answers."""
