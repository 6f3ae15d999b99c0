"""Ketamine CDS: cited, three-valued decision support for ketamine and esketamine orders (CDS Hooks 2.0.1)."""

__version__ = "0.1.0"
