"""`python -m envelope`: the same as the command `envelope`."""

from envelope.cli import main

if __name__ == "__main__":
    main()
