"""Derived facts: the shared definitions of clinical/rules.md A, each in one place.

Small pure functions; their numbers and word lists are parameters in cards/definitions.yaml.
"""
