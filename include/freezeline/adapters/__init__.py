"""The outside world, one SDK per module."""
