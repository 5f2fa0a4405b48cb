"""Two or more runs side by side: what went in, what came out, and why it differs."""
