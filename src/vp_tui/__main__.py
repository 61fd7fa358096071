"""`python -m vp_tui` is `vp-tui`."""

from vp_tui.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
