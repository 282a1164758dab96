"""Steps of calwebb_spec3, one module each."""
