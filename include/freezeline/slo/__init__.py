"""Outcome SLOs: OpenSLO documents, error budgets, burn, maturity and evidence."""
