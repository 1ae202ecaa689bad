"""`python -m envelope`: the same as the command `envelope`."""

from envelope_command import main

if __name__ == "__main__":
    main()
