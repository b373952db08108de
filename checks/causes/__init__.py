"""The catalogue of root causes. Ids are public API: never renamed.

Files and rows stand in the order in which a pod's life meets the causes. ``{placeholders}`` are
filled from the evidence; in commands each is one whole word, quoted for a shell, and a command
with an unknown word is left out.
"""
