"""The research object of a run: what was made of what, by what, as a Workflow Run RO-Crate."""
