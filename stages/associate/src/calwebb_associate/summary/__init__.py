"""The summary report of a program: one HTML page that needs nothing but itself."""
