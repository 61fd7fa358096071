"""The rules of the reducer: what each kind of event does to the state."""
