"""The doctor's knowledge: one module per family, found by walking this package.

A module offers ``CHECKS`` (questions, answered per workload) and ``DETECTORS`` (root causes
seen in the objects themselves). Texts that prove a cause are data in ``signatures/``; the
causes, their titles and remedies are data in ``causes/``.
"""
