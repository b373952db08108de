"""Talking to OCI registries: the distribution specification over urllib3.

Why not a client library: the two that are kept for Python do not fit models. oras 0.2.43 reads a
whole layer into memory to push it, breaks on large uploads with basic authentication
(oras-project/oras-py#226), verifies no digest on download (#247), resumes nothing and has no
timeout. python-dxf 12.1.1 streams, but knows no resumption, no retry, no credential helpers and
no referrers. urllib3, which the Kubernetes client brings anyway, does the HTTP.

Source: ``spec.md`` of opencontainers/distribution-spec, and the token authentication of the
distribution project.
"""
