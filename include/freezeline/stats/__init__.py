"""Statistics: arrays in, frozen result out; numpy and scipy only."""
