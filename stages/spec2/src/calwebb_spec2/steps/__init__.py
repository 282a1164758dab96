"""The steps of calwebb_spec2, each in a module of its official name."""
