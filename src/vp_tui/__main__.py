"""`vp-tui` and `python -m vp_tui`: loads the commands and runs one."""

import gc


def run() -> int:
    """Run the command of the process's arguments and return its exit code.

    Loading makes many objects and no garbage: collecting meanwhile would cost a fifteenth of the
    time to the first frame, so the collector waits until the command is loaded.
    """
    gc.disable()
    from vp_tui.cli.main import main  # noqa: PLC0415 - once nothing is collected any more

    return main()


if __name__ == "__main__":
    raise SystemExit(run())
