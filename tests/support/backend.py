"""The backend of a running house, as a phone, an admin page or a script sees it: plain REST."""
import http.client
import json
from urllib.parse import quote, urlsplit

from house import SLOW, wait_until


class Backend:
    """REST at the hub that wrote hub.json into a folder (the zone's own), as the zone's player."""

    def __init__(self, house, folder=None):
        self.folder = folder or house.runtime
        self.notice = wait_until(lambda: self.read(), 20, "the hub says where it is")
        self.port = urlsplit(self.notice["url"]).port
        self.venue = self.notice["venue"]

    def read(self):
        try:
            return json.loads((self.folder / "hub.json").read_text())
        except (OSError, ValueError):
            return None

    def ask(self, method, path, body=None, **headers):
        """(status, JSON)"""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10 * SLOW)
        fields = {"X-Appwrite-Project": self.notice["project"], "X-Appwrite-Session": self.notice["session"],
                  "Content-Type": "application/json",
                  **{k.replace("_", "-"): v for k, v in headers.items()}}
        try:
            c.request(method, "/v1" + path, None if body is None else json.dumps(body), fields)
            r = c.getresponse()
            text = r.read()
            return r.status, json.loads(text) if text else None
        finally:
            c.close()

    def path(self, collection, id=""):
        base = f"/databases/{self.notice['database']}/collections/{collection}/documents"
        return base + (f"/{quote(id, safe='')}" if id else "")

    def documents(self, collection):
        status, answer = self.ask("GET", self.path(collection))
        assert status == 200, (status, answer)
        return answer["documents"]

    def create(self, collection, data, id="unique()"):
        status, answer = self.ask("POST", self.path(collection), {"documentId": id, "data": data})
        assert status == 201, (status, answer)
        return answer

    def queue(self):
        """The venue's queue document with its lists parsed."""
        d = next(d for d in self.documents("queues") if d["venueId"] == self.venue)
        d["mainQueue"], d["priorityQueue"] = json.loads(d["mainQueue"]), json.loads(d["priorityQueue"])
        d["nowPlaying"] = json.loads(d["nowPlaying"]) if d["nowPlaying"] else None
        return d

    def write_queue(self, **fields):
        d = self.queue()
        data = {k: v if isinstance(v, str) or v is None else json.dumps(v) for k, v in fields.items()}
        status, answer = self.ask("PATCH", self.path("queues", d["$id"]), {"data": data})
        assert status == 200, (status, answer)
        return answer

    def command(self, name, **payload):
        return self.create("player_commands", {"venueId": self.venue, "command": name,
                                               "payload": json.dumps(payload), "issuedBy": "test"})

    def request(self, song, payment, requester="ana"):
        """A guest asks for a song, and has paid."""
        status, answer = self.execute("processRequest", {"venueId": self.venue, "song": song, "requesterId": requester,
                                                         "paymentId": payment})
        assert status == 201 and answer.get("success"), (status, answer)
        return answer

    def execute(self, function, fields):
        """A function of the hub: (status of the call, what the function answered)."""
        status, answer = self.ask("POST", f"/functions/{function}/executions",
                                  {"body": json.dumps(fields), "async": False, "path": "/", "method": "POST"})
        return status, json.loads(answer["responseBody"]) if status == 201 else answer
