"""The router: one address in front of all ready instances of a process type, in a process of its own, so that it
neither slows nor is slowed by the engine. Knows nothing of instances but their names and ports; who is ready and who is
to be drained, the engine tells (`core.routing`).
"""
