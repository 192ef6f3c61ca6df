"""`python -m edge --config node.toml`: the agent without the command line's libraries, for a service."""

import sys
from pathlib import Path

from edge.runner import check_release, run_agent

if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--config", path]:
            run_agent(Path(path))
        case ["--check"]:
            check_release(None)
        case ["--check", "--config", path]:
            check_release(Path(path))
        case _:
            sys.exit("usage: python -m edge --config /etc/ngonden/node.toml (see `ngonden edge --help`)")
