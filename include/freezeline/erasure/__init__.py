"""Erasure of one person, session or tenant: who is meant, what is theirs, what may not come back."""
