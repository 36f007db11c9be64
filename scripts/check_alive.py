"""Exit with 0 when the web process of this container answers 200. The container image's health check.

The first argument is the path to ask for: /health/live/ unless it says otherwise (/health/ready/).

The request names the first of ALLOWED_HOSTS, because Django answers to no other name.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

# Longer than /health/ready/ waits for the parts that it asks.
TIMEOUT_SECONDS = 5


def main() -> int:
    path = sys.argv[1] if len(sys.argv) > 1 else "/health/live/"
    host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".")
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"Host": "localhost" if host in ("", "*") else host})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        print(f"no answer: {error}")
        return 1
    print(f"answered {status}")
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
