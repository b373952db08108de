"""The engine on this machine, without a cluster: wasmtime or wasmedge as a child process."""
