"""Signals, scores, forecasts and recommendations computed from the event log."""
