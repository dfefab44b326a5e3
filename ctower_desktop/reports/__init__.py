"""Telling it: the control tower, the portfolio, digests and report templates."""
