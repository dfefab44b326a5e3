"""The control tower."""
