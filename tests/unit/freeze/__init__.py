"""Tests of freezes and the gate."""
