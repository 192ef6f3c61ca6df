"""The embedded store's own format: samples of one pole as compressed columns, and their sums per
interval.
"""
