"""NIRSpec's IRS2 readout: reference samples between the pixels, and what is done with them."""
