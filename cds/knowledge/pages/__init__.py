"""The knowledge as pages for clinicians: ``python -m cds.knowledge.pages docs/knowledge`` writes them from cards/.

One page for each rule and each value set, and an index; the same cards always give the same pages.
"""
