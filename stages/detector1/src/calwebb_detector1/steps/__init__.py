"""The steps of stage 1, one module each, named as the official steps."""
