"""Checklists, and one page per check and per family of causes; shipped, so it works offline."""
