"""The domain: facts and rules, without clock or I/O; `now` is an argument."""
