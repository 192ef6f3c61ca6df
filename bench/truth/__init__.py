"""The truth test: a simulated year through the real hub, and its incidents held against what was so."""
