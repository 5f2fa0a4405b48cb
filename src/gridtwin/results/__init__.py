"""The table of result variables, the run folder, and how to open it again."""
