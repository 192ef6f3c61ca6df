"""Uptime as the API asks, answers and hands it to spreadsheets."""
