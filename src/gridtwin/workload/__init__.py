"""What has to be computed: jobs, traces they come from, services, and the envelopes that a dispatch needs."""
