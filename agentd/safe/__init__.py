"""The `agentd-safe` program: what drives the outputs of a dead agentd to safety."""
