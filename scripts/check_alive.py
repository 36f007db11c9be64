"""Exit with 0 when the web process of this container answers. The container image's health check.

The request names the first of ALLOWED_HOSTS, because Django answers to no other name.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

TIMEOUT_SECONDS = 2


def main() -> int:
    host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".")
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health/live/", headers={"Host": "localhost" if host in ("", "*") else host})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        print(f"no answer: {error}")
        return 1
    print(f"answered {status}")
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
