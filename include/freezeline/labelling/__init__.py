"""Samples for labelling: who may be in one, how they are drawn, what a sample says of itself."""
