"""China by province: its grid and its data centres."""
