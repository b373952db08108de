"""A real Kubernetes node that runs WebAssembly, on one Linux machine, without Docker.

Standard library only: the lab is started by root with the system's own Python, where nothing
can be assumed to be installed.
"""
