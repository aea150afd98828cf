"""Windows, segments, calibration and the sustained-shift rule: statistics to verdict rows."""
