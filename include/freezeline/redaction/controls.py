"""Control characters, which can hide a value: all but tab and line breaks."""

import re

CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
CONTROL = re.compile(CONTROLS)
