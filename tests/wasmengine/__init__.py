"""What tests of the engine share: small models, a reference, a host, a running engine."""
