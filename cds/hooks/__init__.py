"""CDS Hooks on the wire: requests are read tolerantly, discovery and answers are written strictly (2.0.1)."""
