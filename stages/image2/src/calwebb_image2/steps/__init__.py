"""The steps of calwebb_image2, each in a module of its official name."""
