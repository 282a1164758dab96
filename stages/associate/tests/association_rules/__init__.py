"""Tests of the association rules and of what they are made with."""
