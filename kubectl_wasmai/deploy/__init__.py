"""Deploying a Wasm image: request -> manifests (pure) -> apply -> wait -> timeline.

Also what looks after the result: list, status, logs and delete. Pure modules: ``request``,
``quantity``, ``manifests``, ``stages``, ``rollout``, ``timeline``, ``text``. Modules that talk to
a cluster take an open ``Cluster`` and never print.
"""
