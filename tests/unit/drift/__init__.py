"""Tests of the drift and anomaly judgement."""
