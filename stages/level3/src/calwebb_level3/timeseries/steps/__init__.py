"""Steps of calwebb_tso3, one module each."""
