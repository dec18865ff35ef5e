"""``python -m handwright`` is the command line."""

from handwright.apps.cli import main

if __name__ == "__main__":
    main()
