"""Model images: a model file becomes an OCI image, and travels to registries and back.

::

    model file ──read──▶ Model ──build──▶ layers, config, index ──▶ store | archive
                                                                       │
    registry ◀──push── store | archive          registry ──pull──▶ store

Everything streams: a file of 20 GB costs a few megabytes of memory.
"""
