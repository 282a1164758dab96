"""Reference files that describe what the simulator did, in a CRDS cache of their own."""
