"""Tests of evaluators and of answers unlike their class."""
