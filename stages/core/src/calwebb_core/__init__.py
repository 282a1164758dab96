"""What the stage programs share: the framework around steps, and common array algorithms."""

__version__ = "0.1.0"
