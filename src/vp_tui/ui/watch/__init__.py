"""The watch screen: what it shows of one gateway, and what its keys do."""
