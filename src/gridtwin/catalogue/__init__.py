"""What machines and cooling are like: figures with their sources."""
