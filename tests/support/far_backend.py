"""A backend behind a network that may be gone."""
import json

from backend import Backend
from relay import Relay


class FarBackend(Backend):
    """A hub of its own that the house reaches through a relay. `settings`: what makes a player of the house its box."""

    def __init__(self, house):
        folder = house.tmp / "hub"
        house.start("djamms-hub", "--listen", "127.0.0.1:0", "--data", folder / "data", "--runtime-dir", folder)
        super().__init__(house, folder)
        self.relay = Relay(self.port)
        n, endpoint = self.notice, f"http://127.0.0.1:{self.relay.port}/v1"
        (house.state / "session.json").write_text(json.dumps({"endpoint": endpoint, "session": n["session"]}))
        self.settings = dict(backend_kind="appwrite", backend_endpoint=endpoint, backend_project=n["project"],
                             backend_database=n["database"], backend_venue=n["venue"])
