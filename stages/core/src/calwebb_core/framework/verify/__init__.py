"""Make a product again from what it says about itself, and compare bit for bit."""
