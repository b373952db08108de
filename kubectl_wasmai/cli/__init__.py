"""One file per command, named after it: parse arguments, call one noun, print."""
