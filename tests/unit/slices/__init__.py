"""Tests of what a night builds."""
