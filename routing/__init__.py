"""From a stored touchpoint to the runs and entries that want it, in order, none missed."""
