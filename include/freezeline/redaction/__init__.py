"""Find and replace personal data and secrets before anything is written."""
