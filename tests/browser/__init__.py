"""The service as a browser reaches it from a page of another origin."""
