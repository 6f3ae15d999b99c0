"""Outgoing HTTP that cannot be led astray: addresses are compared as parsed, names resolved once, sizes bounded."""
