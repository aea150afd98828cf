"""Tests of SLO arithmetic."""
