"""Retention tiers: policy, pure plan, apply."""
