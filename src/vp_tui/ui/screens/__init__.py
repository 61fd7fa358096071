"""The screens over the watch screen: evidence, audit, help, explanation."""
