"""Alerts: how urgent what a night found is, who is told, in whose words, and what may help."""
