"""A local-first control tower for the client projects of a digital agency."""

__version__ = "0.1.0"
