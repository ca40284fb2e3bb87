"""Orientation: one clear piece of advice to a passenger, with its reasons."""
