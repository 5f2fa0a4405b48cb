"""One self-contained page about runs, and the figures that it shares with the web page."""
