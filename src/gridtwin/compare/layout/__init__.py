"""Layouts of the same work side by side: what each saves and costs, and which differences chance would make too."""
