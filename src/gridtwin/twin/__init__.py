"""The digital twin: jobs and grid on one clock."""
