"""The pure decision engine: no I/O, no clock, no framework. Time and ids come in as arguments."""
