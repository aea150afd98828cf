"""What delivered evaluations mean."""
