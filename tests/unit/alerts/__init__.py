"""Tests of alerts, their outbox and their senders."""
