"""From a stored touchpoint to the runs that want it, in order, exactly as often as needed."""
