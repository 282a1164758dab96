"""Array algorithms that two or more stages need; nothing here opens a file."""
