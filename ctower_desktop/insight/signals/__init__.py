"""Signals, next best actions and upsell chances, read out of what is said and done."""
