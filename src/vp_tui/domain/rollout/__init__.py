"""The rollout: windows, gates, guardrails, the decision's word, and the row of the log."""
