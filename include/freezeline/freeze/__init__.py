"""The freeze state machine, the freeze document, its signature, flags and the gate's answer."""
