"""How Preflight is put somewhere: `local/` is the stack that `make demo` and `make up` start."""
