"""Tables of known texts; see ``kubectl_wasmai.doctor.signatures`` for their form."""
