"""Understanding feedback behind one protocol: the local engine and the OpenAI-compatible one."""
