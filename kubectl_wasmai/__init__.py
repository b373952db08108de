"""Deploy AI models as WebAssembly pods on Kubernetes, and diagnose them."""

__version__ = "0.1.0"
