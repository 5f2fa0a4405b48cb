"""A local web page over saved runs."""
