"""What a call costs: the dated price book."""
