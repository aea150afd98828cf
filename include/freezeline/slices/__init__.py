"""Which days of the warehouse a night touches, and which of the lake it has to read for them."""
