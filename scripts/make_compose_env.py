"""Print the .env file that docker-compose.yml needs: fresh secrets, and a key pair for the simulator's tokens.

    python scripts/make_compose_env.py > .env

For an installation with a real LMS, put its public keys and an account of yours in place of what is printed here, and
its addresses after them.
"""

import json
import secrets
import sys
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

KEY_ID = "compose"
# The account that the simulator's LMS gives to this service. No secret: it opens nothing but the simulator.
SIMULATOR_CLIENT_ID, SIMULATOR_CLIENT_SECRET = "enterprise-access-key", "enterprise-access-secret"
# A learner of the simulated world who is linked for good.
SIMULATOR_CANARY = "1001"


def main() -> int:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    values = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "MYSQL_PASSWORD": secrets.token_urlsafe(24),
        "MYSQL_ROOT_PASSWORD": secrets.token_urlsafe(24),
        "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps({"keys": [jwk(key.public_key())]}),
        "OAUTH2_CLIENT_ID": SIMULATOR_CLIENT_ID,
        "OAUTH2_CLIENT_SECRET": SIMULATOR_CLIENT_SECRET,
        "LMS_CANARY_USER_ID": SIMULATOR_CANARY,
        "SIMULATOR_SIGNING_JWK": json.dumps(jwk(key)),
    }
    for name, value in values.items():
        # Between single quotes nothing is replaced, and no value here has one.
        print(f"{name}='{value}'")
    return 0


def jwk(key: Any) -> dict[str, Any]:
    return {"kid": KEY_ID, **RSAAlgorithm.to_jwk(key, as_dict=True)}


if __name__ == "__main__":
    sys.exit(main())
